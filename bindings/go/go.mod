module github.com/brant-db/brant-go

go 1.24
