"""Models by name: an id or a unique name is taken, anything else costs nothing and
offers the nearest."""
import pytest

from programs import SCENE
from scripted import Response


@pytest.mark.parametrize("typed", ["ndvi", "Vegetation index", "vegetation INDEX"])
def test_id_or_name_in_any_case_runs_the_model(gdal, sandbox, typed):
    name = f"GIQ:model={typed};file={SCENE}"
    for _ in range(2):
        gdal.run("gdalinfo", name)
    [run] = sandbox.runs()
    assert run["form"]["modelId"] == "ndvi" and run["job"]
    assert sandbox.calls().count("models") == 1


def test_other_text_offers_the_nearest_three(gdal, sandbox):
    text = gdal.fails("ogrinfo", f"GIQ:model=Water body;file={SCENE}", tag="usage")
    offers = text.split("the nearest: ")[1].split(", ")
    assert len(offers) == 3 and offers[0] == "Water bodies (water)"
    assert sandbox.runs() == [] and gdal.records() == {}


def test_name_of_several_models_asks_for_the_id(scripted_gdal, service):
    service.script["models"] = [Response([{"id": "a1", "name": "Same"},
                                        {"id": "b2", "name": "same"}, {"id": "c3"}])]
    text = scripted_gdal.fails("ogrinfo", "GIQ:model=SAME;file=f", tag="usage")
    assert "Same (a1), same (b2)" in text and "c3" not in text
    assert service.calls("run") == []
    scripted_gdal.run("ogrinfo", "GIQ:model=b2;file=f")
    assert b"\r\n\r\nb2\r\n" in service.calls("run")[0]["body"]
