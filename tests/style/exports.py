"""The plugin shows one symbol: the one that GDAL asks it for."""
import common

EXPORTED = "GDALRegister_GIQ"


def check(_root, library):
    done = common.output_of(["nm", "-D", "--defined-only", "--format=posix", library])
    if done.returncode != 0:
        yield f"{library}:1: {done.stderr.strip()}"
        return
    symbols = [line.split()[0] for line in done.stdout.splitlines()]
    for symbol in symbols:
        if symbol != EXPORTED:
            yield f"{library}:1: exports {symbol}"
    if EXPORTED not in symbols:
        yield f"{library}:1: does not export {EXPORTED}"


if __name__ == "__main__":
    common.main(check, ("ROOT", "LIBRARY"))
