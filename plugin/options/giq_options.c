/* The table of options as data and as XML. */
#include "options/giq_options.h"

#include "options/giq_gdal_compat.h"

#define VALUE_OF(word) word ", "
#define ROW_OF(name_, type_, values_, default_, is_config_, fallback_, minimum_,         \
               maximum_, description)                                                    \
    [GIQ_OPTION_##name_] = {                                                             \
        .name = #name_,                                                                  \
        .type = (type_),                                                                 \
        .values = "" values_(VALUE_OF),                                                  \
        .config_name = "GIQ_" #name_,                                                    \
        .default_value = (default_),                                                     \
        .fallback = (fallback_),                                                         \
        .minimum = (minimum_),                                                           \
        .maximum = (maximum_),                                                           \
        .is_open = true,                                                                 \
        .is_config = (is_config_),                                                       \
    },
#define CONFIG_ROW_OF(name_, type_, default_, minimum_, maximum_)                        \
    [GIQ_OPTION_##name_] = {                                                             \
        .name = #name_,                                                                  \
        .type = (type_),                                                                 \
        .values = "",                                                                    \
        .config_name = "GIQ_" #name_,                                                    \
        .default_value = (default_),                                                     \
        .minimum = (minimum_),                                                           \
        .maximum = (maximum_),                                                           \
        .is_config = true,                                                               \
    },
const struct giq_option giq_options[GIQ_OPTION_COUNT] = {
    GIQ_OPEN_OPTIONS(ROW_OF) GIQ_CONFIG_OPTIONS(CONFIG_ROW_OF)};

#define XML_VALUE_OF(word) "<Value>" word "</Value>"
#define XML_OF(name, type, values, default_value, is_config, fallback, minimum, maximum, \
               description)                                                              \
    "<Option name='" #name "' type='" type "' default='" default_value                   \
    "' description='" description "'>" values(XML_VALUE_OF) "</Option>"
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
