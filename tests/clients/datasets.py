"""What a dataset holds, in a form that can be compared."""
import json


def features(client, path):
    """Every feature of the only layer, whatever its number is."""
    found = client.layer(path)
    for feature in found:
        feature.pop("id", None)
    assert found
    return found


def pixels(client, path):
    """What a raster is: size, place, and the checksum of each band."""
    info = json.loads(client.run("gdalinfo", "-json", "-checksum", path).stdout)
    assert any(band["checksum"] for band in info["bands"])
    return (info["size"], info["geoTransform"], info["coordinateSystem"]["wkt"],
            [(band["type"], band["checksum"]) for band in info["bands"]])
