/* The table of options as data and as XML. */
#include "options/giq_options.h"

#include "options/giq_gdal_compat.h"

#define TEXT_OF(word) word ", "
#define ROW_OF(name, type, values, otherwise, is_config, fallback, least, most, text)    \
    [GIQ_OPTION_##name] = {                                                              \
        #name, type, "" values(TEXT_OF), "GIQ_" #name, otherwise, fallback, least,       \
        most,  true, is_config},
#define CONFIG_ROW_OF(name)                                                              \
    [GIQ_OPTION_##                                                                       \
        name] = {#name, "string", "", "GIQ_" #name, "", NULL, 0, 0, false, true},
const struct giq_option giq_options[GIQ_OPTION_COUNT] = {
    GIQ_OPEN_OPTIONS(ROW_OF) GIQ_CONFIG_OPTIONS(CONFIG_ROW_OF)};

#define XML_VALUE_OF(word) "<Value>" word "</Value>"
#define XML_OF(name, type, values, otherwise, is_config, fallback, least, most, text)    \
    "<Option name='" #name "' type='" type "' default='" otherwise                       \
    "' description='" text "'>" values(XML_VALUE_OF) "</Option>"
const char giq_options_xml[] =
    "<OpenOptionList>" GIQ_OPEN_OPTIONS(XML_OF) "</OpenOptionList>";

void giq_options_declare(void)
{
    for (int option = 0; option < GIQ_OPTION_COUNT; option++) {
        if (giq_options[option].is_config) {
            GIQ_GDAL_DECLARE_OPTION(giq_options[option].config_name);
        }
    }
}
