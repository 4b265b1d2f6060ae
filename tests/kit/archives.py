"""Archives that are made of a dictionary of members: by name, what each holds."""
import io
import tarfile
import zipfile


def pack_tar(members, mode="w:gz"):
    """As GNU tar does it: the names as they are written."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, format=tarfile.GNU_FORMAT) as archive:
        for name, body in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


def pack_zip(members, compression=zipfile.ZIP_STORED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return packed.getvalue()
