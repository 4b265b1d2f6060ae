/* The mosaic of the rasters of results. */
#include "unit.h"

#include <ogr_srs_api.h>
#include <stdio.h>

#include "vrt_kit.h"

static void assert_pixels(GDALDatasetH dataset, int band, int y, const char *expected)
{
    int values[64] = {0};
    char text[300] = "";
    int width = GDALGetRasterXSize(dataset);
    assert_true(width <= (int)GIQ_COUNT(values));
    assert_int_equal(GDALRasterIO(GDALGetRasterBand(dataset, band), GF_Read, 0, y, width,
                                  1, values, width, 1, GDT_Int32, 0, 0),
                     CE_None);
    for (int i = 0; i < width; i++) {
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%d ", values[i]);
    }
    assert_string_equal(text, expected);
}

static void test_mosaic_has_all_tiles_and_the_later_on_top(void **state)
{
    (void)state;
    struct vrt_kit_tile right = vrt_kit_base_tile;
    struct vrt_kit_tile over = vrt_kit_base_tile;
    right.x += 60;
    right.value = 2;
    over.x += 20;
    over.y -= 20;
    over.value = 3;
    vrt_kit_add_tile("a", &vrt_kit_base_tile);
    vrt_kit_add_tile("b", &right);
    vrt_kit_add_tile("c", &over);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_RASTER | GDAL_OF_VECTOR);
    double transform[6];
    assert_int_equal(GDALGetRasterXSize(dataset), 10);
    assert_int_equal(GDALGetRasterYSize(dataset), 6);
    assert_int_equal(GDALGetGeoTransform(dataset, transform), CE_None);
    assert_true(transform[0] == 500000 && transform[3] == 1000 && transform[1] == 10 &&
                transform[5] == -10);
    assert_string_equal(OSRGetAuthorityCode(GDALGetSpatialRef(dataset), NULL), "32631");
    assert_pixels(dataset, 1, 0, "1 1 1 1 0 0 2 2 2 2 ");
    assert_pixels(dataset, 1, 2, "1 1 3 3 3 3 2 2 2 2 ");
    assert_pixels(dataset, 1, 5, "0 0 3 3 3 3 0 0 0 0 ");
    GDALClose(dataset);
}

static void test_pixels_without_data_show_the_row_below(void **state)
{
    (void)state;
    struct vrt_kit_tile over = vrt_kit_base_tile;
    over.has_nodata = true;
    over.value = 3;
    vrt_kit_add_tile("a", &vrt_kit_base_tile);
    vrt_kit_add_tile("b", &over);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_RASTER);
    int has = FALSE;
    assert_true(GDALGetRasterNoDataValue(GDALGetRasterBand(dataset, 1), &has) == 0);
    assert_true(has);
    assert_pixels(dataset, 1, 0, "1 1 1 1 ");
    assert_pixels(dataset, 1, 1, "3 3 3 3 ");
    GDALClose(dataset);
}

static void test_rasters_that_differ_are_an_error(void **state)
{
    (void)state;
    static const char *const words[] = {"coordinate systems", "resolutions",
                                        "numbers of bands", "types of pixels"};
    for (size_t i = 0; i < GIQ_COUNT(words); i++) {
        struct vrt_kit_tile other = vrt_kit_base_tile;
        other.epsg = i == 0 ? 32632 : vrt_kit_base_tile.epsg;
        other.resolution = i == 1 ? 20 : vrt_kit_base_tile.resolution;
        other.bands = i == 2 ? 2 : vrt_kit_base_tile.bands;
        other.type = i == 3 ? GDT_Int16 : vrt_kit_base_tile.type;
        vrt_kit_add_tile("first", &vrt_kit_base_tile);
        vrt_kit_add_tile("same", &vrt_kit_base_tile);
        vrt_kit_add_tile("other", &other);
        vrt_kit_add_tile("later", &other);
        vrt_kit_fails(
            GDAL_OF_RASTER, NULL, GIQ_E_BATCH,
            CPLSPrintf("the rows \"first\" and \"other\" have different %s", words[i]));
        (void)vrt_kit_teardown(NULL);
        (void)vrt_kit_setup(NULL);
    }
}

static void test_raster_that_is_too_large_is_an_error(void **state)
{
    (void)state;
    struct vrt_kit_tile far = vrt_kit_base_tile;
    far.x = 5e11;
    vrt_kit_add_tile("a", &vrt_kit_base_tile);
    vrt_kit_add_tile("b", &far);
    vrt_kit_fails(GDAL_OF_RASTER, NULL, GIQ_E_BATCH, "pixels");
}

static void set_palette(const struct vrt_kit_row *row, short red)
{
    GDALDatasetH dataset = GDALOpen(row->path, GA_Update);
    GDALColorTableH table = GDALCreateColorTable(GPI_RGB);
    const GDALColorEntry entry = {red, 20, 30, 255};
    GDALSetColorEntry(table, 1, &entry);
    GDALSetRasterColorTable(GDALGetRasterBand(dataset, 1), table);
    GDALDestroyColorTable(table);
    GDALClose(dataset);
    vrt_kit_record(row, "a.tif");
}

static void test_palette_is_kept_and_must_be_common(void **state)
{
    (void)state;
    struct vrt_kit_tile right = vrt_kit_base_tile;
    right.x += 40;
    vrt_kit_add_tile("a", &vrt_kit_base_tile);
    vrt_kit_add_tile("b", &right);
    set_palette(&vrt_kit.rows[0], 10);
    set_palette(&vrt_kit.rows[1], 10);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_RASTER);
    GDALColorTableH table = GDALGetRasterColorTable(GDALGetRasterBand(dataset, 1));
    assert_non_null(table);
    assert_int_equal(GDALGetColorEntry(table, 1)->c1, 10);
    assert_int_equal(GDALGetRasterColorInterpretation(GDALGetRasterBand(dataset, 1)),
                     GCI_PaletteIndex);
    GDALClose(dataset);
    vrt_kit_add_tile("c", &vrt_kit_base_tile);
    set_palette(&vrt_kit.rows[2], 11);
    vrt_kit_fails(GDAL_OF_RASTER, NULL, GIQ_E_BATCH, "colours");
}

/* Make the last band an alpha band whose first line is transparent. */
static void set_alpha(const struct vrt_kit_row *row, int bands)
{
    int zeros[4] = {0};
    GDALDatasetH dataset = GDALOpen(row->path, GA_Update);
    GDALRasterBandH band = GDALGetRasterBand(dataset, bands);
    GDALSetRasterColorInterpretation(band, GCI_AlphaBand);
    GDALFillRaster(band, 255, 0);
    assert_int_equal(
        GDALRasterIO(band, GF_Write, 0, 0, 4, 1, zeros, 4, 1, GDT_Int32, 0, 0), CE_None);
    GDALClose(dataset);
    vrt_kit_record(row, "a.tif");
}

static void test_transparent_pixels_show_the_row_below(void **state)
{
    (void)state;
    struct vrt_kit_tile below = vrt_kit_base_tile;
    struct vrt_kit_tile over = vrt_kit_base_tile;
    below.bands = over.bands = 2;
    below.y += 10;
    over.value = 3;
    vrt_kit_add_tile("a", &below);
    vrt_kit_add_tile("b", &over);
    set_alpha(&vrt_kit.rows[0], 2);
    set_alpha(&vrt_kit.rows[1], 2);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_RASTER);
    assert_int_equal(GDALGetRasterColorInterpretation(GDALGetRasterBand(dataset, 2)),
                     GCI_AlphaBand);
    assert_pixels(dataset, 2, 0, "0 0 0 0 ");
    assert_pixels(dataset, 1, 1, "1 1 1 1 ");
    assert_pixels(dataset, 2, 1, "255 255 255 255 ");
    assert_pixels(dataset, 1, 2, "3 3 3 3 ");
    GDALClose(dataset);
}

/* A mask for all bands, within the file. */
static void set_mask(const struct vrt_kit_row *row)
{
    int line[4] = {0};
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES");
    GDALDatasetH dataset = GDALOpen(row->path, GA_Update);
    assert_int_equal(GDALCreateDatasetMaskBand(dataset, GMF_PER_DATASET), CE_None);
    GDALRasterBandH mask = GDALGetMaskBand(GDALGetRasterBand(dataset, 1));
    GDALFillRaster(mask, 255, 0);
    assert_int_equal(
        GDALRasterIO(mask, GF_Write, 0, 0, 4, 1, line, 4, 1, GDT_Int32, 0, 0), CE_None);
    GDALClose(dataset);
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", NULL);
    vrt_kit_record(row, "a.tif");
}

static void test_masks_are_joined(void **state)
{
    (void)state;
    struct vrt_kit_tile over = vrt_kit_base_tile;
    over.value = 3;
    over.y += 10;
    vrt_kit_add_tile("a", &vrt_kit_base_tile);
    vrt_kit_add_tile("b", &over);
    set_mask(&vrt_kit.rows[1]);
    GDALDatasetH dataset = vrt_kit_open(GDAL_OF_RASTER);
    assert_int_equal(GDALGetMaskFlags(GDALGetRasterBand(dataset, 1)), GMF_PER_DATASET);
    int values[4] = {0};
    GDALRasterBandH mask = GDALGetMaskBand(GDALGetRasterBand(dataset, 1));
    static const int expected[] = {0, 255, 255, 255, 255};
    for (int y = 0; y < 5; y++) {
        assert_int_equal(
            GDALRasterIO(mask, GF_Read, 0, y, 4, 1, values, 4, 1, GDT_Int32, 0, 0),
            CE_None);
        assert_int_equal(values[0], expected[y]);
    }
    assert_pixels(dataset, 1, 1, "3 3 3 3 ");
    assert_pixels(dataset, 1, 4, "1 1 1 1 ");
    GDALClose(dataset);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, vrt_kit_setup, vrt_kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mosaic_has_all_tiles_and_the_later_on_top),
        TEST(test_pixels_without_data_show_the_row_below),
        TEST(test_rasters_that_differ_are_an_error),
        TEST(test_raster_that_is_too_large_is_an_error),
        TEST(test_palette_is_kept_and_must_be_common),
        TEST(test_transparent_pixels_show_the_row_below),
        TEST(test_masks_are_joined),
    };
    vrt_kit_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
