/*
 * torture/crash_point.h: what a program that has crash_point.c in itself says to it.
 */
#ifndef BRANT_TORTURE_CRASH_POINT_H
#define BRANT_TORTURE_CRASH_POINT_H

#include <stdbool.h>

/* Count anew, and die at the change of this number, a write when half of it is done if `torn`. 0: count only. */
void crash_point_set(long point, bool torn);
/* Since then. */
long crash_point_count(void);

#endif
