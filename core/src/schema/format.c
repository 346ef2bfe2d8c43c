#include "schema/program.h"
int brant__format_find(brant__text name) { (void)name; return -1; }
bool brant__format_accepts(int format, const char *data, size_t length) { (void)format; (void)data; (void)length; return true; }
const char *brant__format_message(int format) { (void)format; return ""; }
