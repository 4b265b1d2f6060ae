#!/bin/sh
#SBATCH --job-name=giq
#SBATCH --array=0-7
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --output=giq-%A_%a.log
#SBATCH --open-mode=append

# The rows of a batch in a Slurm array job: task k of N submits, awaits and fetches every
# N-th row. All tasks share one store, which must lie on a file system of all nodes:
#
#   export GIQ_STORE_DIR=/shared/giq GIQ_API_KEY_FILE=$HOME/.giq_key
#   sbatch slurm.sh "GIQ:batch=fields.gpkg;model=water;file=scene.tif"
#
# Models that make rasters: add gdalinfo as a second argument. When all tasks have ended,
# one command reads all rows from the store, and starts no job:
#
#   ogr2ogr all.gpkg "GIQ:batch=fields.gpkg;model=water;file=scene.tif" -oo SUBMIT=NO
#
# After failures, a cancelled task or a lost node submit the same again, all of it or
# with --array=3,5 the tasks that failed: rows that are done make no call, running jobs
# are awaited, and no row is paid for twice. The logs of the tasks say what failed.
#
# Each task has up to GIQ_CONCURRENCY (16) jobs at the service, all together N times that.
# To change N, change it here and in --array above. It is not taken from Slurm, because a
# part must be the same when only some of the tasks run again.
N=8

set -eu
request=${1:?"the dataset name is missing; see the head of slurm.sh"}
: "${SLURM_ARRAY_TASK_ID:?"start this script with sbatch, as an array job"}"
: "${GIQ_STORE_DIR:?"set it to a folder that all nodes share"}"
# What is printed is of no use here; messages go to the log.
exec "${2:-ogrinfo}" "$request;part=$SLURM_ARRAY_TASK_ID/$N" >/dev/null
