module foreign

go 1.24

require github.com/brant-db/brant-go v0.0.0

require github.com/mattn/go-sqlite3 v1.14.52

replace github.com/brant-db/brant-go => ../..
