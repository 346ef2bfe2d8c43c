/*
 * One small module as the tools that people use print it, without hand editing: TypeBox, zod, Pydantic, Go's invopop/jsonschema.
 */
#include "test_schema.h"

static const struct {
    const char *tool;
    const char *module;
} modules[] = {
    {"TypeBox 0.34, Type.Module(..).Import(\"TaskNode\")",
     "{\"$defs\":{\"Config\":{\"type\":\"object\",\"required\":[\"directed\",\"multi\",\"max_"
     "nodes\"],\"properties\":{\"directed\":{"
     "\"const\":\"directed\",\"type\":\"string\"},\"multi\":{\"const\":true,\"type\":\"boolean\"},"
     "\"max_nodes\":{\"const\":100,\"typ"
     "e\":\"number\"}},\"$id\":\"Config\"},\"TaskNode\":{\"additionalProperties\":false,\"type\":"
     "\"object\",\"required\":[\"title\","
     "\"status\",\"owner\",\"pair\",\"labels\"],\"properties\":{\"title\":{\"minLength\":1,"
     "\"type\":\"string\"},\"status\":{\"anyOf"
     "\":[{\"const\":\"open\",\"type\":\"string\"},{\"const\":\"done\",\"type\":\"string\"}]},"
     "\"parent\":{\"$ref\":\"TaskNode\"},\"o"
     "wner\":{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"Person\"}]},\"pair\":{\"type\":\"array\","
     "\"items\":[{\"type\":\"string\"},{"
     "\"type\":\"integer\"}],\"additionalItems\":false,\"minItems\":2,\"maxItems\":2},\"labels\":{"
     "\"type\":\"object\",\"patternPrope"
     "rties\":{\"^(.*)$\":{\"type\":\"string\"}}}},\"$id\":\"TaskNode\"},\"Person\":{\"type\":"
     "\"object\",\"required\":[\"email\"],\""
     "properties\":{\"email\":{\"format\":\"email\",\"type\":\"string\"}},\"$id\":\"Person\"},"
     "\"DependsOnEdge\":{\"type\":\"object\""
     ",\"required\":[\"kind\"],\"properties\":{\"kind\":{\"anyOf\":[{\"const\":\"blocks\",\"type\":"
     "\"string\"},{\"const\":\"informs"
     "\",\"type\":\"string\"}]}},\"$id\":\"DependsOnEdge\"},\"DependsOnEdgeConstraints\":{\"type\":"
     "\"object\",\"required\":[\"source"
     "\",\"target\",\"max_out\"],\"properties\":{\"source\":{\"const\":\"Task\",\"type\":"
     "\"string\"},\"target\":{\"const\":\"Task\","
     "\"type\":\"string\"},\"max_out\":{\"const\":3,\"type\":\"number\"}},\"$id\":"
     "\"DependsOnEdgeConstraints\"}},\"$ref\":\"TaskNode"
     "\"}"},
    {"zod 4, toJSONSchema(registry)",
     "{\"schemas\":{\"Person\":{\"$schema\":\"https://json-schema.org/draft/2020-12/"
     "schema\",\"type\":\"object\",\"properties\":{\"e"
     "mail\":{\"type\":\"string\",\"format\":\"email\",\"pattern\":\"^(?:[A-Za-z0-9_'+\\\\-]+\\\\.)"
     "*[A-Za-z0-9_'+\\\\-]*[A-Za-z0-9_+"
     "-]@(?:[A-Za-z0-9][A-Za-z0-9\\\\-]*\\\\.)+[A-Za-z]{2,}$\"}},\"required\":[\"email\"],"
     "\"additionalProperties\":false},\"TaskNode"
     "\":{\"$schema\":\"https://json-schema.org/draft/2020-12/"
     "schema\",\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"str"
     "ing\",\"minLength\":1},\"status\":{\"type\":\"string\",\"enum\":[\"open\",\"done\"]},"
     "\"parent\":{\"$ref\":\"TaskNode\"},\"owne"
     "r\":{\"anyOf\":[{\"$ref\":\"Person\"},{\"type\":\"null\"}]},\"pair\":{\"anyOf\":[{\"type\":"
     "\"array\",\"prefixItems\":[{\"type"
     "\":\"string\"},{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":"
     "9007199254740991}],\"items\":{\"not\":{}},\"min"
     "Items\":2},{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"integer\","
     "\"minimum\":-9007199254740991,\"ma"
     "ximum\":9007199254740991}],\"items\":false,\"minItems\":2,\"maxItems\":2}]},\"labels\":{"
     "\"type\":\"object\",\"propertyNames\":"
     "{\"type\":\"string\"},\"additionalProperties\":{\"type\":\"string\"}},\"weight\":{\"type\":"
     "\"number\",\"exclusiveMinimum\":0}}"
     ",\"required\":[\"title\",\"status\",\"owner\",\"labels\"],\"additionalProperties\":false},"
     "\"DependsOnEdge\":{\"$schema\":\"htt"
     "ps://json-schema.org/draft/2020-12/"
     "schema\",\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\",\"enum\":[\"bloc"
     "ks\",\"informs\"]}},\"required\":[\"kind\"],\"additionalProperties\":false},"
     "\"DependsOnEdgeConstraints\":{\"$schema\":\"https:"
     "//json-schema.org/draft/2020-12/"
     "schema\",\"type\":\"object\",\"properties\":{\"source\":{\"type\":\"string\",\"const\":\"Task"
     "\"},\"target\":{\"type\":\"string\",\"const\":\"Task\"},\"max_out\":{\"type\":\"number\","
     "\"const\":3}},\"required\":[\"source"
     "\",\"target\",\"max_out\"],\"additionalProperties\":false},\"Config\":{\"$schema\":\"https://"
     "json-schema.org/draft/2020-12/sch"
     "ema\",\"type\":\"object\",\"properties\":{\"directed\":{\"type\":\"string\",\"const\":"
     "\"directed\"},\"multi\":{\"type\":\"bool"
     "ean\",\"const\":true},\"max_nodes\":{\"type\":\"number\",\"const\":100}},\"required\":["
     "\"directed\",\"multi\"],\"additionalPro"
     "perties\":false}}}"},
    {"zod 4, toJSONSchema(registry, {uri})",
     "{\"schemas\":{\"Person\":{\"$schema\":\"https://json-schema.org/draft/2020-12/"
     "schema\",\"$id\":\"https://example.com/Person.js"
     "on\",\"type\":\"object\",\"properties\":{\"email\":{\"type\":\"string\",\"format\":\"email\","
     "\"pattern\":\"^(?:[A-Za-z0-9_'+\\"
     "\\-]+\\\\.)*[A-Za-z0-9_'+\\\\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\\\\-]*\\\\.)+[A-Za-z]"
     "{2,}$\"}},\"required\":[\"email\""
     "],\"additionalProperties\":false},\"TaskNode\":{\"$schema\":\"https://json-schema.org/draft/"
     "2020-12/schema\",\"$id\":\"https:/"
     "/example.com/"
     "TaskNode.json\",\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\","
     "\"minLength\":1},\"status\":{"
     "\"type\":\"string\",\"enum\":[\"open\",\"done\"]},\"parent\":{\"$ref\":\"https://example.com/"
     "TaskNode.json\"},\"owner\":{\"any"
     "Of\":[{\"$ref\":\"https://example.com/"
     "Person.json\"},{\"type\":\"null\"}]},\"pair\":{\"anyOf\":[{\"type\":\"array\",\"prefixIt"
     "ems\":[{\"type\":\"string\"},{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":"
     "9007199254740991}],\"items\":{\"n"
     "ot\":{}},\"minItems\":2},{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},{"
     "\"type\":\"integer\",\"minimum\":-9007199"
     "254740991,\"maximum\":9007199254740991}],\"items\":false,\"minItems\":2,\"maxItems\":2}]},"
     "\"labels\":{\"type\":\"object\",\"pr"
     "opertyNames\":{\"type\":\"string\"},\"additionalProperties\":{\"type\":\"string\"}},"
     "\"weight\":{\"type\":\"number\",\"exclusiv"
     "eMinimum\":0}},\"required\":[\"title\",\"status\",\"owner\",\"labels\"],"
     "\"additionalProperties\":false},\"DependsOnEdge\":{\"$"
     "schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"https://example.com/"
     "DependsOnEdge.json\",\"type\":\"object"
     "\",\"properties\":{\"kind\":{\"type\":\"string\",\"enum\":[\"blocks\",\"informs\"]}},"
     "\"required\":[\"kind\"],\"additionalPrope"
     "rties\":false},\"DependsOnEdgeConstraints\":{\"$schema\":\"https://json-schema.org/draft/"
     "2020-12/schema\",\"$id\":\"https://ex"
     "ample.com/"
     "DependsOnEdgeConstraints.json\",\"type\":\"object\",\"properties\":{\"source\":{\"type\":"
     "\"string\",\"const\":\"Task"
     "\"},\"target\":{\"type\":\"string\",\"const\":\"Task\"},\"max_out\":{\"type\":\"number\","
     "\"const\":3}},\"required\":[\"source"
     "\",\"target\",\"max_out\"],\"additionalProperties\":false},\"Config\":{\"$schema\":\"https://"
     "json-schema.org/draft/2020-12/sch"
     "ema\",\"$id\":\"https://example.com/"
     "Config.json\",\"type\":\"object\",\"properties\":{\"directed\":{\"type\":\"string\",\"cons"
     "t\":\"directed\"},\"multi\":{\"type\":\"boolean\",\"const\":true},\"max_nodes\":{\"type\":"
     "\"number\",\"const\":100}},\"require"
     "d\":[\"directed\",\"multi\"],\"additionalProperties\":false}}}"},
    {"zod 4, toJSONSchema(object)",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/"
     "schema\",\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/Ta"
     "skNode\"},\"b\":{\"$ref\":\"#/$defs/DependsOnEdge\"},\"c\":{\"$ref\":\"#/$defs/"
     "DependsOnEdgeConstraints\"},\"d\":{\"$ref\":\"#"
     "/$defs/"
     "Config\"}},\"required\":[\"a\",\"b\",\"c\",\"d\"],\"additionalProperties\":false,\"$defs\":{"
     "\"TaskNode\":{\"type\":\"ob"
     "ject\",\"properties\":{\"title\":{\"type\":\"string\",\"minLength\":1},\"status\":{\"type\":"
     "\"string\",\"enum\":[\"open\",\"do"
     "ne\"]},\"parent\":{\"$ref\":\"#/$defs/TaskNode\"},\"owner\":{\"anyOf\":[{\"$ref\":\"#/$defs/"
     "Person\"},{\"type\":\"null\"}]},\""
     "pair\":{\"anyOf\":[{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},{\"type\":"
     "\"integer\",\"minimum\":-9007199254740"
     "991,\"maximum\":9007199254740991}],\"items\":{\"not\":{}},\"minItems\":2},{\"type\":"
     "\"array\",\"prefixItems\":[{\"type\":\"str"
     "ing\"},{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":9007199254740991}],"
     "\"items\":false,\"minItems\":2,\"max"
     "Items\":2}]},\"labels\":{\"type\":\"object\",\"propertyNames\":{\"type\":\"string\"},"
     "\"additionalProperties\":{\"type\":\"stri"
     "ng\"}},\"weight\":{\"type\":\"number\",\"exclusiveMinimum\":0}},\"required\":[\"title\","
     "\"status\",\"owner\",\"labels\"],\"add"
     "itionalProperties\":false},\"Person\":{\"type\":\"object\",\"properties\":{\"email\":{"
     "\"type\":\"string\",\"format\":\"email\""
     ",\"pattern\":\"^(?:[A-Za-z0-9_'+\\\\-]+\\\\.)*[A-Za-z0-9_'+\\\\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-"
     "9][A-Za-z0-9\\\\-]*\\\\.)+[A-Za-z"
     "]{2,}$\"}},\"required\":[\"email\"],\"additionalProperties\":false},\"DependsOnEdge\":{"
     "\"type\":\"object\",\"properties\":{\"k"
     "ind\":{\"type\":\"string\",\"enum\":[\"blocks\",\"informs\"]}},\"required\":[\"kind\"],"
     "\"additionalProperties\":false},\"Depen"
     "dsOnEdgeConstraints\":{\"type\":\"object\",\"properties\":{\"source\":{\"type\":\"string\","
     "\"const\":\"Task\"},\"target\":{\"t"
     "ype\":\"string\",\"const\":\"Task\"},\"max_out\":{\"type\":\"number\",\"const\":3}},"
     "\"required\":[\"source\",\"target\",\"max_"
     "out\"],\"additionalProperties\":false},\"Config\":{\"type\":\"object\",\"properties\":{"
     "\"directed\":{\"type\":\"string\",\"con"
     "st\":\"directed\"},\"multi\":{\"type\":\"boolean\",\"const\":true},\"max_nodes\":{\"type\":"
     "\"number\",\"const\":100}},\"requir"
     "ed\":[\"directed\",\"multi\"],\"additionalProperties\":false}}}"},
    {"zod 4, {target: \"draft-7\"}",
     "{\"$schema\":\"http://json-schema.org/draft-07/"
     "schema#\",\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/definitions/T"
     "askNode\"},\"b\":{\"$ref\":\"#/definitions/DependsOnEdge\"},\"c\":{\"$ref\":\"#/definitions/"
     "DependsOnEdgeConstraints\"},\"d\":"
     "{\"$ref\":\"#/definitions/"
     "Config\"}},\"required\":[\"a\",\"b\",\"c\",\"d\"],\"additionalProperties\":false,"
     "\"definitions\":{\""
     "TaskNode\":{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\",\"minLength\":"
     "1},\"status\":{\"type\":\"string"
     "\",\"enum\":[\"open\",\"done\"]},\"parent\":{\"allOf\":[{\"$ref\":\"#/definitions/"
     "TaskNode\"}]},\"owner\":{\"anyOf\":[{\"$ref"
     "\":\"#/definitions/"
     "Person\"},{\"type\":\"null\"}]},\"pair\":{\"anyOf\":[{\"type\":\"array\",\"items\":[{"
     "\"type\":\"string\"},{"
     "\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":9007199254740991}],"
     "\"additionalItems\":{\"not\":{}},\"minItems"
     "\":2},{\"type\":\"array\",\"items\":[{\"type\":\"string\"},{\"type\":\"integer\",\"minimum\":"
     "-9007199254740991,\"maximum\":900"
     "7199254740991}],\"additionalItems\":false,\"minItems\":2,\"maxItems\":2}]},\"labels\":{"
     "\"type\":\"object\",\"propertyNames\":{"
     "\"type\":\"string\"},\"additionalProperties\":{\"type\":\"string\"}},\"weight\":{\"type\":"
     "\"number\",\"exclusiveMinimum\":0}},"
     "\"required\":[\"title\",\"status\",\"owner\",\"labels\"],\"additionalProperties\":false},"
     "\"Person\":{\"type\":\"object\",\"pro"
     "perties\":{\"email\":{\"type\":\"string\",\"format\":\"email\",\"pattern\":\"^(?:[A-Za-z0-9_'"
     "+\\\\-]+\\\\.)*[A-Za-z0-9_'+\\\\-"
     "]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\\\\-]*\\\\.)+[A-Za-z]{2,}$\"}},\"required\":["
     "\"email\"],\"additionalProperties\":fal"
     "se},\"DependsOnEdge\":{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\","
     "\"enum\":[\"blocks\",\"informs\"]}},"
     "\"required\":[\"kind\"],\"additionalProperties\":false},\"DependsOnEdgeConstraints\":{"
     "\"type\":\"object\",\"properties\":{\"so"
     "urce\":{\"type\":\"string\",\"const\":\"Task\"},\"target\":{\"type\":\"string\",\"const\":"
     "\"Task\"},\"max_out\":{\"type\":\"nu"
     "mber\",\"const\":3}},\"required\":[\"source\",\"target\",\"max_out\"],"
     "\"additionalProperties\":false},\"Config\":{\"type\":\"o"
     "bject\",\"properties\":{\"directed\":{\"type\":\"string\",\"const\":\"directed\"},\"multi\":{"
     "\"type\":\"boolean\",\"const\":tr"
     "ue},\"max_nodes\":{\"type\":\"number\",\"const\":100}},\"required\":[\"directed\",\"multi\"],"
     "\"additionalProperties\":false}}}"},
    {"zod 4, {target: \"openapi-3.0\"}",
     "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/definitions/"
     "TaskNode\"},\"b\":{\"$ref\":\"#/definitions/DependsOnEdge"
     "\"},\"c\":{\"$ref\":\"#/definitions/DependsOnEdgeConstraints\"},\"d\":{\"$ref\":\"#/"
     "definitions/Config\"}},\"required\":[\"a\""
     ",\"b\",\"c\",\"d\"],\"additionalProperties\":false,\"definitions\":{\"TaskNode\":{\"type\":"
     "\"object\",\"properties\":{\"title"
     "\":{\"type\":\"string\",\"minLength\":1},\"status\":{\"type\":\"string\",\"enum\":[\"open\","
     "\"done\"]},\"parent\":{\"allOf\":["
     "{\"$ref\":\"#/definitions/"
     "TaskNode\"}]},\"owner\":{\"nullable\":true,\"allOf\":[{\"$ref\":\"#/definitions/"
     "Person\"}]},\"pair\""
     ":{\"anyOf\":[{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":"
     "\"integer\",\"minimum\":-90071992547409"
     "91,\"maximum\":9007199254740991},{\"not\":{}}]},\"minItems\":2},{\"type\":\"array\","
     "\"items\":{\"anyOf\":[{\"type\":\"string\""
     "},{\"type\":\"integer\",\"minimum\":-9007199254740991,\"maximum\":9007199254740991}]},"
     "\"minItems\":2,\"maxItems\":2}]},\"label"
     "s\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},\"weight\":{"
     "\"type\":\"number\",\"minimum\":0,\"exclu"
     "siveMinimum\":true}},\"required\":[\"title\",\"status\",\"owner\",\"labels\"],"
     "\"additionalProperties\":false},\"Person\":{\"ty"
     "pe\":\"object\",\"properties\":{\"email\":{\"type\":\"string\",\"format\":\"email\","
     "\"pattern\":\"^(?:[A-Za-z0-9_'+\\\\-]+\\\\"
     ".)*[A-Za-z0-9_'+\\\\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\\\\-]*\\\\.)+[A-Za-z]{2,}$\"}}"
     ",\"required\":[\"email\"],\"addit"
     "ionalProperties\":false},\"DependsOnEdge\":{\"type\":\"object\",\"properties\":{\"kind\":{"
     "\"type\":\"string\",\"enum\":[\"bloc"
     "ks\",\"informs\"]}},\"required\":[\"kind\"],\"additionalProperties\":false},"
     "\"DependsOnEdgeConstraints\":{\"type\":\"object\","
     "\"properties\":{\"source\":{\"type\":\"string\",\"enum\":[\"Task\"]},\"target\":{\"type\":"
     "\"string\",\"enum\":[\"Task\"]},\"ma"
     "x_out\":{\"type\":\"number\",\"enum\":[3]}},\"required\":[\"source\",\"target\",\"max_out\"],"
     "\"additionalProperties\":false},"
     "\"Config\":{\"type\":\"object\",\"properties\":{\"directed\":{\"type\":\"string\",\"enum\":["
     "\"directed\"]},\"multi\":{\"type\""
     ":\"boolean\",\"enum\":[true]},\"max_nodes\":{\"type\":\"number\",\"enum\":[100]}},"
     "\"required\":[\"directed\",\"multi\"],\"addi"
     "tionalProperties\":false}}}"},
    {"Pydantic 2, models_json_schema",
     "{\"$defs\": {\"Config\": {\"properties\": {\"directed\": {\"const\": \"directed\", "
     "\"default\": \"directed\", \"title\": \"Dir"
     "ected\", \"type\": \"string\"}, \"multi\": {\"const\": true, \"default\": true, \"title\": "
     "\"Multi\", \"type\": \"boolean\"}, "
     "\"max_nodes\": {\"anyOf\": [{\"const\": 100, \"type\": \"integer\"}, {\"type\": \"null\"}], "
     "\"default\": 100, \"title\": \"Max"
     " Nodes\"}}, \"title\": \"Config\", \"type\": \"object\"}, \"DependsOnEdge\": "
     "{\"properties\": {\"kind\": {\"enum\": [\"blocks"
     "\", \"informs\"], \"title\": \"Kind\", \"type\": \"string\"}}, \"required\": [\"kind\"], "
     "\"title\": \"DependsOnEdge\", \"type"
     "\": \"object\"}, \"DependsOnEdgeConstraints\": {\"properties\": {\"source\": {\"const\": "
     "\"Task\", \"title\": \"Source\", \"ty"
     "pe\": \"string\"}, \"target\": {\"const\": \"Task\", \"title\": \"Target\", \"type\": "
     "\"string\"}, \"max_out\": {\"const\": 3,"
     " \"title\": \"Max Out\", \"type\": \"integer\"}}, \"required\": [\"source\", \"target\", "
     "\"max_out\"], \"title\": \"DependsOnE"
     "dgeConstraints\", \"type\": \"object\"}, \"Person\": {\"properties\": {\"email\": "
     "{\"format\": \"email\", \"title\": \"Email\""
     ", \"type\": \"string\"}}, \"required\": [\"email\"], \"title\": \"Person\", \"type\": "
     "\"object\"}, \"TaskNode\": {\"additional"
     "Properties\": false, \"properties\": {\"title\": {\"minLength\": 1, \"title\": \"Title\", "
     "\"type\": \"string\"}, \"status\": {"
     "\"enum\": [\"open\", \"done\"], \"title\": \"Status\", \"type\": \"string\"}, \"parent\": "
     "{\"anyOf\": [{\"$ref\": \"#/$defs/Ta"
     "skNode\"}, {\"type\": \"null\"}], \"default\": null}, \"owner\": {\"anyOf\": [{\"$ref\": "
     "\"#/$defs/Person\"}, {\"type\": \"nul"
     "l\"}], \"default\": null}, \"pair\": {\"anyOf\": [{\"maxItems\": 2, \"minItems\": 2, "
     "\"prefixItems\": [{\"type\": \"string\"},"
     " {\"type\": \"integer\"}], \"type\": \"array\"}, {\"type\": \"null\"}], \"default\": null, "
     "\"title\": \"Pair\"}, \"labels\": {"
     "\"additionalProperties\": {\"type\": \"string\"}, \"title\": \"Labels\", \"type\": "
     "\"object\"}, \"weight\": {\"anyOf\": [{\"ex"
     "clusiveMinimum\": 0, \"type\": \"number\"}, {\"type\": \"null\"}], \"default\": null, "
     "\"title\": \"Weight\"}}, \"required\": ["
     "\"title\", \"status\", \"labels\"], \"title\": \"TaskNode\", \"type\": \"object\"}}}"},
    {"Go, invopop/jsonschema",
     "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$ref\":\"#/$defs/"
     "Module\",\"$defs\":{\"Config\":{\"properties"
     "\":{\"directed\":{\"type\":\"string\",\"enum\":[\"directed\"]},\"multi\":{\"type\":"
     "\"boolean\",\"const\":true},\"max_nodes\":{"
     "\"type\":\"integer\",\"enum\":[100]}},\"additionalProperties\":false,\"type\":\"object\","
     "\"required\":[\"directed\",\"multi\","
     "\"max_nodes\"]},\"DependsOnEdge\":{\"properties\":{\"kind\":{\"type\":\"string\",\"enum\":["
     "\"blocks\",\"informs\"]}},\"additio"
     "nalProperties\":false,\"type\":\"object\",\"required\":[\"kind\"]},"
     "\"DependsOnEdgeConstraints\":{\"properties\":{\"source\":{"
     "\"type\":\"string\",\"enum\":[\"Task\"]},\"target\":{\"type\":\"string\",\"enum\":[\"Task\"]}"
     ",\"max_out\":{\"type\":\"integer"
     "\",\"enum\":[3]}},\"additionalProperties\":false,\"type\":\"object\",\"required\":["
     "\"source\",\"target\",\"max_out\"]},\"Modul"
     "e\":{\"properties\":{\"A\":{\"$ref\":\"#/$defs/TaskNode\"},\"B\":{\"$ref\":\"#/$defs/"
     "DependsOnEdge\"},\"C\":{\"$ref\":\"#/$def"
     "s/DependsOnEdgeConstraints\"},\"D\":{\"$ref\":\"#/$defs/"
     "Config\"}},\"additionalProperties\":false,\"type\":\"object\",\"requir"
     "ed\":[\"A\",\"B\",\"C\",\"D\"]},\"Person\":{\"properties\":{\"email\":{\"type\":\"string\","
     "\"format\":\"email\"}},\"additional"
     "Properties\":false,\"type\":\"object\",\"required\":[\"email\"]},\"TaskNode\":{"
     "\"properties\":{\"title\":{\"type\":\"string\","
     "\"minLength\":1},\"status\":{\"type\":\"string\",\"enum\":[\"open\",\"done\"]},\"parent\":{"
     "\"$ref\":\"#/$defs/TaskNode\"},\"ow"
     "ner\":{\"oneOf\":[{\"$ref\":\"#/$defs/"
     "Person\"},{\"type\":\"null\"}]},\"labels\":{\"additionalProperties\":{\"type\":\"string"
     "\"},\"type\":\"object\"},\"weight\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"raw\":{"
     "\"type\":\"string\",\"contentEncodin"
     "g\":\"base64\"}},\"additionalProperties\":false,\"type\":\"object\",\"required\":[\"title\","
     "\"status\",\"labels\"]}}}"},
};

static const struct {
    const char *attributes;
    bool valid;
} tasks[] = {
    {"{\"title\":\"t\",\"status\":\"open\",\"owner\":null,\"pair\":[\"a\",1],\"labels\":{\"a\":"
     "\"b\"}}",
     true},
    {"{\"title\":\"t\",\"status\":\"done\",\"owner\":{\"email\":\"joe@example.com\"},\"pair\":["
     "\"a\",1],\"labels\":{},"
     "\"parent\":{\"title\":\"u\",\"status\":\"open\",\"owner\":null,\"pair\":[\"a\",1],\"labels\":"
     "{}}}",
     true},
    {"{\"title\":\"\",\"status\":\"open\",\"owner\":null,\"pair\":[\"a\",1],\"labels\":{}}", false},
    {"{\"title\":\"t\",\"status\":\"closed\",\"owner\":null,\"pair\":[\"a\",1],\"labels\":{}}",
     false},
    {"{\"title\":\"t\",\"status\":\"open\",\"owner\":null,\"pair\":[\"a\",1],\"labels\":{\"a\":1}}",
     false},
    {"{\"title\":\"t\",\"status\":\"open\",\"owner\":{\"email\":\"joe\"},\"pair\":[\"a\",1],"
     "\"labels\":{}}",
     false},
    {"{\"title\":\"t\",\"status\":\"open\",\"owner\":null,\"pair\":[\"a\",1],\"labels\":{},"
     "\"parent\":{\"title\":1}}",
     false},
    {"{\"title\":\"t\",\"status\":\"open\",\"owner\":null,\"pair\":[\"a\",1],\"labels\":{},"
     "\"unknown\":1}",
     false},
    {"{\"title\":\"t\"}", false},
};

/* A Go struct has no tuples. */
static const char go_task[] =
    "{\"title\":\"t\",\"status\":\"open\",\"labels\":{\"a\":\"b\"},\"owner\":null,\"parent\":{"
    "\"title\":\"u\",\"status\":\"done\",\"labels\":{}}}";
static const char go_wrong[] =
    "{\"title\":\"t\",\"status\":\"open\",\"labels\":{},\"parent\":{\"title\":\"u\"}}";

static void check(const char *tool, const brant__schema *schema, const char *text, bool valid) {
    brant__json json = parsed(text);
    if (accepts(schema, json.root) != valid)
        fail_msg("%s should %s %s", tool, valid ? "accept" : "reject", text);
    brant__json_free(&json);
}

static void tools_are_understood(void **state) {
    (void)state;
    for (size_t i = 0; i < BRANT__COUNT(modules); i++) {
        brant__json json = parsed(modules[i].module);
        brant__module *module = NULL;
        brant__error_clear();
        if (brant__module_parse(&module, json.root) != BRANT_OK)
            fail_msg("%s: %s", modules[i].tool, brant_last_error()->message);
        brant__json_free(&json);
        assert_true(module->typed);
        assert_int_equal(module->config.direction, BRANT__DIRECTED);
        assert_true(module->config.multi);
        assert_int_equal(module->config.max_nodes, 100);
        assert_int_equal(module->config.max_edges, -1);
        assert_int_equal(module->node_type_count, 1);
        assert_true(brant__text_equal(module->node_types[0].name, BRANT__TEXT("Task")));
        assert_int_equal(module->edge_type_count, 1);
        const brant__edge_type *edge = &module->edge_types[0];
        assert_true(brant__text_equal(edge->name, BRANT__TEXT("DependsOn")));
        assert_int_equal(edge->source_count, 1);
        assert_int_equal(edge->sources[0], 0);
        assert_int_equal(edge->target_count, 1);
        assert_int_equal(edge->max_out, 3);
        assert_int_equal(edge->max_in, -1);
        const brant__schema *schema = module->node_types[0].schema;
        if (strstr(modules[i].tool, "Go,")) {
            check(modules[i].tool, schema, go_task, true);
            check(modules[i].tool, schema, go_wrong, false);
        } else {
            for (size_t task = 0; task < BRANT__COUNT(tasks); task++)
                check(modules[i].tool, schema, tasks[task].attributes, tasks[task].valid);
        }
        check(modules[i].tool, edge->schema, "{\"kind\":\"blocks\"}", true);
        check(modules[i].tool, edge->schema, "{\"kind\":\"other\"}", false);
        brant__module_free(module);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tools_are_understood)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
