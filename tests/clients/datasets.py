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
    told = json.loads(client.run("gdalinfo", "-json", "-checksum", path).stdout)
    assert any(band["checksum"] for band in told["bands"])
    return (told["size"], told["geoTransform"], told["coordinateSystem"]["wkt"],
            [(band["type"], band["checksum"]) for band in told["bands"]])
