"""A module includes only lower layers, and the neighbours that this table allows."""
import os
import re

import common

# For each layer from the lowest: the modules, and for each module the modules of
# the same layer that it may include.
LAYERS = (
    {"giq_buf": (), "giq_error": ("giq_text",), "giq_text": (),
     "giq_os": ("giq_buf", "giq_error"), "giq_env": ("giq_os",),
     "giq_tree": ("giq_error", "giq_os")},
    {"giq_address": (), "giq_answer": ("giq_head", "giq_inflate"),
     "giq_bounds": ("giq_whole",), "giq_clusters": (), "giq_conn": (),
     "giq_cred": (), "giq_digest": (), "giq_document": ("giq_json",),
     "giq_failure": ("giq_address",), "giq_form": (),
     "giq_geom": ("giq_geos", "giq_meridian", "giq_rings", "giq_witness", "giq_wkt"),
     "giq_geos": ("giq_geos_parts", "giq_rings", "giq_wkt"),
     "giq_geos_parts": ("giq_geos",),
     "giq_geos_unite": ("giq_clusters", "giq_geos_parts"),
     "giq_gzip": (), "giq_h5file": (),
     "giq_h5heap": ("giq_h5file",), "giq_hdf5": ("giq_h5file", "giq_h5heap"),
     "giq_head": (), "giq_inflate": ("giq_gzip",), "giq_json": ("giq_number",), "giq_number": (), "giq_libarchive": (), "giq_name": (),
     "giq_member": ("giq_name",),
     "giq_meridian": ("giq_geos",), "giq_net": (), "giq_norm": (), "giq_outside": (),
     "giq_rings": (), "giq_sphere": ("giq_rings",),
     "giq_witness": ("giq_geos", "giq_sphere", "giq_wkt"),
     "giq_wkt": ("giq_rings",),
     "giq_sniff": ("giq_name",), "giq_trace": (), "giq_whole": ("giq_bounds",),
     "giq_whole_cdf": ("giq_bounds",), "giq_whole_image": ("giq_bounds",),
     "giq_whole_table": ("giq_bounds",), "giq_whole_tiff": ("giq_bounds",),
     "giq_key": ("giq_digest", "giq_json")},
    {"giq_archive": (), "giq_content": ("giq_flight", "giq_store"), "giq_flight": (),
     "giq_http": (), "giq_record": (),
     "giq_stage": ("giq_archive",),
     "giq_store": ("giq_record",), "giq_jobs": ("giq_record", "giq_store"),
     "giq_url": ()},
    {"giq_service": (), "giq_call": ("giq_service",), "giq_api": ("giq_call",),
     "giq_download": ("giq_call",), "giq_fetch": ("giq_call", "giq_download", "giq_service"),
     "giq_models": ("giq_call",), "giq_upload": ("giq_call",)},
    {"giq_job": (), "giq_step": ("giq_job",), "giq_submit": ("giq_job",),
     "giq_wait": ("giq_job",)},
)
LAYER_OF = {module: number for number, layer in enumerate(LAYERS) for module in layer}
PUBLIC = ("giq/giq.h", "giq/geom.h", "giq/outside.h")  # the others include the first
GDAL = re.compile(r"^(gdal|cpl_|ogr).*\.h$")
STANDARD = {name + ".h" for name in (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp "
    "signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn "
    "string tgmath threads time uchar wchar wctype").split()}


def module_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def check_src(path, quoted, name):
    """Why a file of src may not include name, or None."""
    if GDAL.match(name):
        return f"src knows no GDAL, but includes {name}"
    if not quoted or name in PUBLIC:
        return None
    own, other = module_of(path), module_of(name)
    if other not in LAYER_OF or name != other + ".h":
        return f"{name} is no header of a module in tests/style/layers.py"
    if own == other or LAYER_OF[other] < LAYER_OF[own]:
        return None
    if LAYER_OF[other] > LAYER_OF[own]:
        return (f"{own} of layer {LAYER_OF[own]} includes {name} of the higher layer "
                f"{LAYER_OF[other]}")
    if other in LAYERS[LAYER_OF[own]][own]:
        return None
    return f"{own} may not include {name} of its own layer {LAYER_OF[own]}"


def is_ours(root, path, name):
    """Whether name is a header of src or include, seen from a file outside them."""
    if os.path.isfile(os.path.join(root, os.path.dirname(path), name)):
        return ".." in name.split("/")
    return (os.path.basename(name).startswith("giq")
            or os.path.isfile(os.path.join(root, "src", name)))


def problem_of(root, path, quoted, name):
    """Why the file at path may not include name, or None."""
    if path.startswith("src/"):
        return check_src(path, quoted, name)
    if path.startswith("include/"):
        is_fine = name in STANDARD or (name == PUBLIC[0] and path != f"include/{name}")
        return None if is_fine else f"{name} is no standard header"
    if not is_ours(root, path, name):
        return None
    if path.startswith("plugin/") and name not in PUBLIC:
        return (f"the plugin includes only {', '.join(PUBLIC)} and headers of its own, "
                f"not {name}")
    if path.startswith("tests/sandbox/"):
        return f"the sandbox shares nothing with the driver, but includes {name}"
    return None


def check(root):
    for path in common.files(root, ("src", "plugin", "include", "tests"),
                             common.C_SUFFIXES):
        if path.startswith("src/") and module_of(path) not in LAYER_OF:
            yield f"{path}:1: {module_of(path)} has no layer in tests/style/layers.py"
            continue
        for number, quoted, name in common.includes(root, path):
            problem = problem_of(root, path, quoted, name)
            if problem:
                yield f"{path}:{number}: {problem}"


if __name__ == "__main__":
    common.main(check)
