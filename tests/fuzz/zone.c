/*
 * tests/fuzz/zone.c: any bytes as a time zone's file: what is taken has an answer for any moment, and specifications fire in it.
 */
#include "event/cron.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const specs[] = {"*/7 * * * *", "30 2 * * *", "0 0 29 2 *"};
    static const int64_t moments[] = {INT64_MIN, -5000000000, 0, 1700000000, 4000000000, INT64_MAX};
    brant__zone *zone = NULL;
    const brant_status status = brant__zone_parse(&zone, data, size, BRANT__TEXT("fuzz"));
    HOLDS(status == (zone ? BRANT_OK : BRANT_INVALID));
    for (size_t i = 0; zone && i < BRANT__COUNT(moments); i++) {
        const brant__span span = brant__zone_span(zone, moments[i]);
        HOLDS(span.from <= moments[i] && (moments[i] < span.until || span.until == INT64_MAX));
    }
    for (size_t i = 0; zone && i < BRANT__COUNT(specs); i++) {
        brant__cron cron;
        int64_t at = 1700000000000;
        HOLDS(brant__cron_parse(&cron, brant__text_of(specs[i], strlen(specs[i]))) == BRANT_OK);
        for (int turn = 0; turn < 5; turn++) {
            const int64_t before = at;
            if (!brant__cron_next(&at, &cron, zone, at)) break;
            HOLDS(at > before);
        }
    }
    brant__zone_free(zone);
    return 0;
}
