/*
 * view/page.c: the files of the page, which are part of the program.
 */
#include "view/view.h"

#include <string.h>

#include "page/embedded.h"

static const struct {
    const char *suffix;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

bool view_has_page(void) {
    return brant__page_count > 0;
}

bool view_page(const char **out_data, size_t *out_size, const char **out_type, const char *name) {
    for (size_t i = 0; i < brant__page_count; i++) {
        const char *suffix = strrchr(brant__page[i].name, '.');
        if (strcmp(brant__page[i].name, name) != 0 || !suffix) continue;
        for (size_t j = 0; j < sizeof types / sizeof *types; j++) {
            if (strcmp(types[j].suffix, suffix) != 0) continue;
            *out_data = brant__page[i].data;
            *out_size = brant__page[i].size;
            *out_type = types[j].type;
            return true;
        }
    }
    return false;
}
