-- +goose Up
ALTER TABLE books ADD COLUMN pages INTEGER;
CREATE INDEX books_by_author ON books (author_id);

-- +goose Down
DROP INDEX books_by_author;
ALTER TABLE books DROP COLUMN pages;
