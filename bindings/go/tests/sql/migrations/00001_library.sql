-- +goose Up
CREATE TABLE authors (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, born DATE, active BOOLEAN NOT NULL DEFAULT TRUE);
CREATE TABLE books (
    id INTEGER PRIMARY KEY AUTOINCREMENT, author_id INTEGER NOT NULL REFERENCES authors (id), title VARCHAR(200) NOT NULL,
    added_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, cover BLOB
);
-- +goose StatementBegin
CREATE TRIGGER book_titles BEFORE INSERT ON books WHEN new.title = '' BEGIN
    SELECT raise(ABORT, 'a book has a title');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE books;
DROP TABLE authors;
