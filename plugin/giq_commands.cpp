/*
 * The arguments of the commands `gdal driver giq ...`. C++, because GDALAlgorithm has no
 * C interface to define one.
 */
#include "giq_commands.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal_priv.h>
#include <gdalalgorithm.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "giq/giq.h"
#include "giq_command.h"

namespace
{

/* Commands, as bits. */
enum : unsigned {
    MODELS = 1u << GIQ_COMMAND_MODELS,
    FILES = 1u << GIQ_COMMAND_FILES,
    JOBS = 1u << GIQ_COMMAND_JOBS,
    RUN = 1u << GIQ_COMMAND_RUN,
    FETCH = 1u << GIQ_COMMAND_FETCH,
    BATCH = 1u << GIQ_COMMAND_BATCH,
    FORGET = 1u << GIQ_COMMAND_FORGET,
};

/* Indexed by giq_command_kind. */
const struct {
    const char *name;
    const char *help;
} commands[] = {
    {"models", "List the models of the gIQ service"},
    {"files", "List the files on the gIQ service"},
    {"jobs", "List the jobs in the store of this user"},
    {"run",
     "Run a model on a file, wait, and download the result; run again, the same request "
     "is not paid for again"},
    {"fetch", "Wait for existing jobs, and download their results; starts no job"},
    {"batch",
     "Run a request for each row of a dataset; run again, no row is paid for again"},
    {"forget", "Remove results, or whole records, from the store"},
};

/* What a text argument is for. */
enum class Use { KEY, OPTION };

/* Arguments that are texts. Each sets the key of the connection string that has its name,
 * or the open option that has its name in capitals, with '_' for '-'. */
const struct {
    unsigned commands;
    const char *name;
    Use use;
    const char *group; /* only one of a group may be given; or nullptr */
    const char *help;
} texts[] = {
    {RUN | BATCH, "model", Use::KEY, nullptr, "Id or name of the model"},
    {RUN | BATCH, "file", Use::KEY, "source", "Id of a file on the service"},
    {RUN | BATCH, "upload", Use::KEY, "source", "Local file, uploaded once"},
    {RUN | FILES, "geometry", Use::KEY, "area", "Area of interest as WKT, or @file"},
    {RUN | FILES, "aoi", Use::KEY, "area", "Area from a vector dataset: path[,layer]"},
    {RUN | FILES, "bbox", Use::KEY, "area", "Area as minx,miny,maxx,maxy in degrees"},
    {RUN | BATCH, "rerun", Use::KEY, nullptr,
     "Label: each new label is a further, paid job of the same request"},
    {RUN | FETCH | BATCH, "member", Use::KEY, nullptr, "Member of an archive"},
    {BATCH, "part", Use::KEY, nullptr,
     "k/n: only rows whose position modulo n is k; positions and k start at 0"},
    {FILES, "datetime", Use::KEY, nullptr, "Instant, day, or interval from/to"},
    {FILES, "collection", Use::KEY, nullptr, "Id of a collection"},
    {FILES, "limit", Use::KEY, nullptr, "Maximum number of files to list"},
    {RUN | BATCH, "retry", Use::OPTION, nullptr,
     "Label: a failed request gets one new, paid job per label"},
    {RUN | FETCH | BATCH, "timeout", Use::OPTION, nullptr,
     "Seconds to wait; the job continues after that"},
    {RUN | BATCH, "source-type", Use::OPTION, nullptr, "Kind of the uploaded file"},
    {BATCH, "concurrency", Use::OPTION, nullptr, "Number of rows worked on at once"},
    {BATCH, "max-new-jobs", Use::OPTION, nullptr, "Maximum number of new jobs"},
    {BATCH, "on-failed", Use::OPTION, nullptr, "ERROR, or SKIP rows that failed"},
};

/* The words, which are freed. */
std::vector<std::string> take_list(char **words)
{
    std::vector<std::string> list;
    for (char **word = words; word != nullptr && *word != nullptr; word++) {
        list.emplace_back(*word);
    }
    CSLDestroy(words);
    return list;
}

class Command final : public GDALAlgorithm
{
  public:
    explicit Command(giq_command_kind kind);

    std::vector<std::string> GetAutoComplete(std::vector<std::string> &words,
                                             bool is_last_complete,
                                             bool shows_all) override;

  protected:
    bool RunImpl(GDALProgressFunc progress, void *data) override;

  private:
    bool is_one_of(unsigned mask) const
    {
        return (mask & (1u << m_kind)) != 0;
    }
    void add_texts();
    void add_output();
    void add_names();
    void add_forget();
    bool check_values() const;

    const giq_command_kind m_kind;
    std::map<std::string, std::string> m_texts{};
    std::vector<std::string> m_names{};
    std::vector<std::string> m_open_options{};
    std::vector<std::string> m_creation_options{};
    std::string m_batch{};
    std::string m_output{};
    std::string m_output_format{};
    std::string m_older_than{};
    std::string m_format{};
    std::string m_printed{};
    bool m_overwrite = false;
    bool m_is_dry_run = false;
    bool m_no_wait = false;
    bool m_results_only = false;
    bool m_force = false;
};

Command::Command(giq_command_kind kind)
    : GDALAlgorithm(commands[kind].name, commands[kind].help, ""), m_kind(kind)
{
    if (is_one_of(RUN | FETCH | BATCH)) {
        AddProgressArg();
    } else {
        m_progressBarRequested = false;
    }
    if (kind == GIQ_COMMAND_BATCH) {
        auto &arg = AddArg("batch", 0, "Dataset with the rows: path[,layer]", &m_batch);
        arg.SetPositional().SetRequired();
        SetAutoCompleteFunctionForFilename(arg, GDAL_OF_VECTOR);
    }
    add_names();
    add_texts();
    add_output();
    add_forget();
    if (is_one_of(RUN | BATCH | FORGET)) {
        AddArg("dry-run", 0, "Only report what would be done", &m_is_dry_run);
    }
    if (is_one_of(RUN | FETCH | BATCH)) {
        AddArg("no-wait", 0, "Do not wait for the job; report its state", &m_no_wait);
        AddOpenOptionsArg(&m_open_options);
    }
    /* GDAL's progress bar is on standard output too. */
    AddArg("format", 'f', "Format of what is printed", &m_format)
        .SetChoices("text", "json")
        .SetDefault("text")
        .AddAction([this] {
            m_progressBarRequested = m_progressBarRequested && m_format != "json";
        });
    AddOutputStringArg(&m_printed);
}

/* GDAL completes only the values of options, but jobs are positional arguments. */
std::vector<std::string> Command::GetAutoComplete(std::vector<std::string> &words,
                                                  bool is_last_complete, bool shows_all)
{
    auto found = GDALAlgorithm::GetAutoComplete(words, is_last_complete, shows_all);
    const bool is_option = !words.empty() && words.back().rfind("-", 0) == 0;
    if (found.empty() && !is_option && is_one_of(FETCH | FORGET)) {
        found = take_list(giq_command_complete_jobs());
    }
    return found;
}

void Command::add_texts()
{
    for (const auto &text : texts) {
        if (!is_one_of(text.commands)) {
            continue;
        }
        const std::string name = text.name;
        auto &arg = AddArg(name, 0, text.help, &m_texts[name]);
        if (text.group != nullptr) {
            arg.SetMutualExclusionGroup(text.group);
        }
        if (name == "model") {
            arg.SetAutoCompleteFunction([](const std::string &) {
                return take_list(giq_command_complete_models());
            });
            if (m_kind == GIQ_COMMAND_RUN) {
                arg.SetRequired();
            }
        } else if (name == "source-type") {
/* Before GDAL 3.12 SetChoices() takes no list; each call adds to the choices. */
#define GIQ_ADD_CHOICE(type) arg.SetChoices(type);
            GIQ_SOURCE_TYPES(GIQ_ADD_CHOICE)
#undef GIQ_ADD_CHOICE
        } else if (name == "on-failed") {
            arg.SetChoices("ERROR", "SKIP");
        } else if (name == "upload" || name == "aoi") {
            SetAutoCompleteFunctionForFilename(arg, GDAL_OF_RASTER | GDAL_OF_VECTOR);
        }
    }
}

void Command::add_names()
{
    if (!is_one_of(FETCH | FORGET)) {
        return;
    }
    const bool is_fetch = m_kind == GIQ_COMMAND_FETCH;
    auto &arg = AddArg(is_fetch ? "job" : "name", 0,
                       is_fetch ? "Ids of jobs" : "Jobs, or keys of records", &m_names);
    arg.SetPositional().SetPackedValuesAllowed(false).SetAutoCompleteFunction(
        [](const std::string &) { return take_list(giq_command_complete_jobs()); });
    if (is_fetch) {
        arg.SetRequired();
    }
}

void Command::add_output()
{
    if (!is_one_of(RUN | FETCH | BATCH)) {
        return;
    }
    auto &arg = AddArg("output", 'o', "File for a copy of the result", &m_output);
    SetAutoCompleteFunctionForFilename(arg, GDAL_OF_RASTER | GDAL_OF_VECTOR);
    AddArg("output-format", 0, "Driver that writes the copy", &m_output_format)
        .AddAlias("of");
    AddCreationOptionsArg(&m_creation_options);
    AddOverwriteArg(&m_overwrite);
}

void Command::add_forget()
{
    if (m_kind != GIQ_COMMAND_FORGET) {
        return;
    }
    AddArg(
        "older-than", 0,
        "Age of a job since its end, at least, for example 30d. Without names, results "
        "are removed, and no records",
        &m_older_than);
    AddArg("results-only", 0, "Remove results, and keep the records", &m_results_only);
    AddArg(
        "force", 0,
        "Also remove records that are the only trace of a paid job, such as those that "
        "are submitted or unknown",
        &m_force);
}

const char *text_or_null(const std::string &text)
{
    return text.empty() ? nullptr : text.c_str();
}

/* Refuse an empty argument, such as "$BBOX" of a variable that is not set: without the
 * area, the whole file would be paid for. */
bool Command::check_values() const
{
    for (const auto &arg : GetArgs()) {
        if (arg->IsExplicitlySet() && arg->GetType() == GAAT_STRING &&
            arg->Get<std::string>().empty()) {
            CPLError(CE_Failure, CPLE_IllegalArg,
                     "GIQ[usage] the argument %s has no value; give it one, or omit it",
                     arg->GetName().c_str());
            return false;
        }
    }
    return true;
}

bool Command::RunImpl(GDALProgressFunc progress, void *data)
{
    if (!check_values()) {
        return false;
    }
    CPLStringList keys;
    CPLStringList options;
    CPLStringList names;
    if (!m_batch.empty()) {
        keys.AddNameValue("batch", m_batch.c_str());
    }
    for (const auto &option : m_open_options) {
        options.AddString(option.c_str());
    }
    for (const auto &text : texts) {
        const auto found = m_texts.find(text.name);
        if (found == m_texts.end() || found->second.empty()) {
            continue;
        }
        if (text.use == Use::KEY) {
            keys.AddNameValue(text.name, found->second.c_str());
        } else {
            options.SetNameValue(CPLString(text.name).replaceAll("-", "_").toupper(),
                                 found->second.c_str());
        }
    }
    for (const auto &name : m_names) {
        names.AddString(name.c_str());
    }
    CPLStringList creation_options(m_creation_options);
    giq_command command = {};
    command.kind = m_kind;
    command.keys = keys.List();
    command.options = options.List();
    command.names = names.List();
    command.is_json = m_format == "json";
    command.is_dry_run = m_is_dry_run;
    command.no_wait = m_no_wait;
    command.output = text_or_null(m_output);
    command.output_format = text_or_null(m_output_format);
    command.creation_options = creation_options.List();
    command.overwrite = m_overwrite;
    command.older_than = text_or_null(m_older_than);
    command.results_only = m_results_only;
    command.force = m_force;
    /* A dry run waits for nothing. */
    command.progress = m_is_dry_run ? nullptr : progress;
    command.progress_data = data;
    char *printed = nullptr;
    if (!giq_command_run(&command, &printed)) {
        return false;
    }
    m_printed = printed;
    std::free(printed);
    return true;
}

GDALAlgorithm *instantiate(const std::vector<std::string> &path)
{
    for (size_t i = 0; i < GIQ_COUNT(commands); i++) {
        if (path.size() == 1 && path[0] == commands[i].name) {
            return std::make_unique<Command>(static_cast<giq_command_kind>(i)).release();
        }
    }
    return nullptr;
}

} // namespace

void giq_commands_declare(GDALDriver *driver)
{
    driver->pfnInstantiateAlgorithm = instantiate;
    for (const auto &command : commands) {
        driver->DeclareAlgorithm({command.name});
    }
}
