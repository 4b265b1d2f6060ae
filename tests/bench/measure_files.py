"""The table of many files of the service, and curl getting the same pages."""
import json

from side_by_side import Place, in_turn

ITEMS, PAGE = 1000, 100
SORTED = [{"field": "properties.datetime", "direction": "desc"}]


def measure(table, build, folder, runs):
    place = Place(build, folder / "files-place", 0, "--stac-items", str(ITEMS))
    try:
        table.add(f"GIQ:files of {ITEMS} items: curl for the same pages",
                  in_turn(lambda: list_files(place)[0], lambda: fetch(place), runs))
        idle = list_files(place, ";limit=1;datetime=../1900-01-01")[1]
        table.single(f"GIQ:files of {ITEMS} items: memory above idle",
                     [(list_files(place)[1] - idle) / 1024 for _ in range(runs)], "MiB")
    finally:
        place.stop()


def list_files(place, more=f";limit={ITEMS}"):
    return place.run("ogrinfo", "-ro", "-q", "-so", f"GIQ:files{more}", "files")


def fetch(place):
    """One program, with a connection that it keeps."""
    command = ["curl", "-sf"]
    for offset in range(0, ITEMS + 1, PAGE):
        body = {"limit": PAGE, "offset": offset, "sortby": SORTED}
        command += ["-o", "page.json", "-H", "X-API-KEY: sandbox", "-H",
                    "Content-Type: application/json", "-d", json.dumps(body),
                    f"{place.url}/stac/search", "--next", "-sf"]
    return place.run_without(*command[:-2])[0]
