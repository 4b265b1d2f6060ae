/*
 * Declares the commands `gdal driver giq ...` to GDAL 3.11 and later; giq_command.h runs
 * them.
 */
#ifndef GIQ_COMMANDS_H
#define GIQ_COMMANDS_H

class GDALDriver;

/* Add the commands to the driver, before it is registered. */
void giq_commands_declare(GDALDriver *driver);

#endif
