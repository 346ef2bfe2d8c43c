// Libraries that work over database/sql, with brant's driver beneath: goose's migrations, sqlx, bun, and code as sqlc writes it. A module of its own, so that the
// package depends on nothing.
package sqlusers

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
	"github.com/brant-db/brant-go/brantsql"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

//go:embed migrations/*.sql
var migrations embed.FS

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVersions(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Skip("no build information")
	}
	for _, module := range info.Deps {
		switch module.Path {
		case "github.com/jmoiron/sqlx", "github.com/uptrace/bun", "github.com/pressly/goose/v3":
			fmt.Println(module.Path, module.Version)
		}
	}
}

// library is a database with goose's migrations, up, down and up again.
func library(t *testing.T) (*brant.DB, *sql.DB) {
	t.Helper()
	db, err := brant.Open(filepath.Join(t.TempDir(), "app.db"), nil)
	check(t, err)
	pool := brantsql.OpenDB(db)
	t.Cleanup(func() { check(t, errors.Join(pool.Close(), db.Close())) })
	files, err := fs.Sub(migrations, "migrations")
	check(t, err)
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, files)
	check(t, err)
	for _, target := range []int64{2, 1, 0, 2} {
		if version, err := provider.GetDBVersion(t.Context()); err != nil || version > target {
			check(t, err)
			_, err = provider.DownTo(t.Context(), target)
			check(t, err)
		} else {
			_, err = provider.UpTo(t.Context(), target)
			check(t, err)
		}
		if version, err := provider.GetDBVersion(t.Context()); err != nil || version != target {
			t.Fatal(version, err)
		}
	}
	return db, pool
}

func TestGoose(t *testing.T) {
	db, pool := library(t)
	var tables int
	check(t, pool.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name IN ('authors', 'books', 'books_by_author', 'book_titles')").Scan(&tables))
	if report, err := db.Doctor(t.Context()); err != nil || !report.OK || tables != 4 {
		t.Error(tables, report, err)
	}
	// A migration that fails leaves nothing.
	wrong := goose.NewGoMigration(3, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TABLE half (x)")
		return errors.Join(err, errors.New("no"))
	}}, nil)
	files, err := fs.Sub(migrations, "migrations")
	check(t, err)
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, files, goose.WithGoMigrations(wrong))
	check(t, err)
	if _, err := provider.Up(t.Context()); err == nil {
		t.Error("it went up")
	}
	check(t, pool.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").Scan(&tables))
	if tables != 0 {
		t.Error("half of it")
	}
}

type author struct {
	ID     int64        `db:"id"`
	Name   string       `db:"name"`
	Born   sql.NullTime `db:"born"`
	Active bool         `db:"active"`
}

func TestSqlx(t *testing.T) {
	brantDB, pool := library(t)
	db := sqlx.NewDb(pool, "sqlite3")
	born := time.Date(1923, 10, 15, 0, 0, 0, 0, time.UTC)
	_, err := db.NamedExec("INSERT INTO authors (name, born, active) VALUES (:name, :born, :active)", []author{
		{Name: "Calvino", Born: sql.NullTime{Time: born, Valid: true}, Active: true}, {Name: "Levi"},
	})
	check(t, err)
	var all []author
	check(t, db.Select(&all, "SELECT * FROM authors ORDER BY id"))
	if len(all) != 2 || all[0] != (author{1, "Calvino", sql.NullTime{Time: born, Valid: true}, true}) || all[1].Born.Valid || all[1].Active {
		t.Errorf("%+v", all)
	}
	query, values, err := sqlx.In("SELECT count(*) FROM authors WHERE name IN (?)", []string{"Levi", "Calvino", "Eco"})
	check(t, err)
	var count int
	check(t, db.Get(&count, db.Rebind(query), values...))
	if count != 2 {
		t.Error(count)
	}
	if err := db.Get(&all[0], "SELECT * FROM authors WHERE id = 9"); !errors.Is(err, sql.ErrNoRows) {
		t.Error(err)
	}
	if _, err := db.Exec("INSERT INTO authors (name) VALUES ('Levi')"); !errors.Is(err, brant.ErrConstraint) {
		t.Error(err)
	}
	// A job and a row, together or not at all.
	for _, fails := range []bool{true, false} {
		tx := db.MustBegin()
		tx.MustExec("UPDATE authors SET active = ? WHERE name = ?", true, "Levi")
		running, err := brantsql.Tx(t.Context(), tx)
		check(t, err)
		_, err = running.Queue("print").Enqueue(t.Context(), "Levi")
		check(t, err)
		if fails {
			check(t, tx.Rollback())
		} else {
			check(t, tx.Commit())
		}
		var job, active int
		check(t, db.QueryRowx("SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM authors WHERE active)").Scan(&job, &active))
		if fails && (job != 0 || active != 1) || !fails && (job != 1 || active != 2) {
			t.Error(fails, job, active)
		}
	}
	rows, err := db.Queryx("SELECT * FROM authors")
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		row := map[string]any{}
		check(t, rows.MapScan(row))
		if _, ok := row["active"].(bool); !ok {
			t.Error(row)
		}
	}
	check(t, brantDB.Check())
}

type writer struct {
	bun.BaseModel `bun:"table:authors"`

	ID     int64 `bun:",pk,autoincrement"`
	Name   string
	Born   bun.NullTime
	Active bool
	Books  []*book `bun:"rel:has-many,join:id=author_id"`
}

type book struct {
	bun.BaseModel `bun:"table:books"`

	ID       int64 `bun:",pk,autoincrement"`
	AuthorID int64
	Author   *writer `bun:"rel:belongs-to,join:author_id=id"`
	Title    string
	AddedAt  time.Time `bun:",nullzero,default:current_timestamp"`
	Cover    []byte
	Pages    *int
}

func TestBun(t *testing.T) {
	ctx := t.Context()
	_, pool := library(t)
	db := bun.NewDB(pool, sqlitedialect.New())
	eco := &writer{Name: "Eco", Active: true}
	_, err := db.NewInsert().Model(eco).Exec(ctx)
	check(t, err)
	pages := 512
	books := []*book{
		{AuthorID: eco.ID, Title: "Il nome della rosa", Cover: []byte{0, 1, 255}, Pages: &pages},
		{AuthorID: eco.ID, Title: "Il pendolo di Foucault", AddedAt: time.Date(1988, 10, 1, 12, 0, 0, 5000, time.UTC)},
	}
	_, err = db.NewInsert().Model(&books).Exec(ctx)
	check(t, err)
	found := new(writer)
	check(t, db.NewSelect().Model(found).Relation("Books", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("book.id") }).Where("writer.name = ?", "Eco").Scan(ctx))
	if len(found.Books) != 2 || string(found.Books[0].Cover) != "\x00\x01\xff" || *found.Books[0].Pages != 512 || found.Books[0].AddedAt.IsZero() ||
		!found.Books[1].AddedAt.Equal(books[1].AddedAt) || found.Books[1].Pages != nil || !found.Active {
		t.Errorf("%+v %+v %+v", found, found.Books[0], found.Books[1])
	}
	changed, err := db.NewUpdate().Model((*book)(nil)).Set("pages = ?", 641).Where("title LIKE ?", "%pendolo%").Exec(ctx)
	check(t, err)
	if n, err := changed.RowsAffected(); err != nil || n != 1 {
		t.Error(n, err)
	}
	// Nested transactions are savepoints: what fails inside is taken back alone, with what brant did there.
	refused := errors.New("refused")
	check(t, db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&book{AuthorID: eco.ID, Title: "Baudolino"}).Exec(ctx); err != nil {
			return err
		}
		err := tx.RunInTx(ctx, nil, func(ctx context.Context, inner bun.Tx) error {
			running, err := brantsql.Tx(ctx, inner.Tx)
			if err != nil {
				return err
			}
			if _, err := running.Stream("books").Publish(ctx, "never"); err != nil {
				return err
			}
			if _, err := inner.NewDelete().Model((*book)(nil)).Where("1 = 1").Exec(ctx); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			return fmt.Errorf("inside: %w", err)
		}
		running, err := brantsql.Tx(ctx, tx.Tx)
		if err != nil {
			return err
		}
		_, err = running.Stream("books").Publish(ctx, "Baudolino")
		return err
	}))
	count, err := db.NewSelect().Model((*book)(nil)).Count(ctx)
	check(t, err)
	var events int
	check(t, db.NewSelect().TableExpr("stream_events").ColumnExpr("count(*)").Scan(ctx, &events))
	if count != 3 || events != 1 {
		t.Error(count, events)
	}
	_, err = db.NewInsert().Model(&book{AuthorID: eco.ID, Title: ""}).Exec(ctx)
	if !errors.Is(err, brant.ErrConstraint) {
		t.Error(err)
	}
}

// ---- as sqlc writes it -------------------------------------------------------------------------------------------------

type dbtx interface {
	ExecContext(context.Context, string, ...interface{}) (sql.Result, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
	QueryContext(context.Context, string, ...interface{}) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...interface{}) *sql.Row
}

type queries struct{ db dbtx }

func (q *queries) withTx(tx *sql.Tx) *queries { return &queries{db: tx} }

const createAuthor = `-- name: CreateAuthor :one
INSERT INTO authors (name, born) VALUES (?, ?)
RETURNING id, name, born, active
`

func (q *queries) createAuthor(ctx context.Context, name string, born sql.NullTime) (author, error) {
	row := q.db.QueryRowContext(ctx, createAuthor, name, born)
	var i author
	err := row.Scan(&i.ID, &i.Name, &i.Born, &i.Active)
	return i, err
}

const listAuthors = `-- name: ListAuthors :many
SELECT id, name, born, active FROM authors
ORDER BY name
`

func (q *queries) listAuthors(ctx context.Context) ([]author, error) {
	rows, err := q.db.QueryContext(ctx, listAuthors)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []author
	for rows.Next() {
		var i author
		if err := rows.Scan(&i.ID, &i.Name, &i.Born, &i.Active); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	return items, rows.Err()
}

func TestSqlc(t *testing.T) {
	_, pool := library(t)
	q := &queries{pool}
	for _, name := range []string{"Svevo", "Deledda"} {
		if made, err := q.createAuthor(t.Context(), name, sql.NullTime{}); err != nil || made.Name != name || !made.Active {
			t.Fatal(made, err)
		}
	}
	tx, err := pool.BeginTx(t.Context(), nil)
	check(t, err)
	_, err = q.withTx(tx).createAuthor(t.Context(), "nobody", sql.NullTime{Time: time.Now(), Valid: true})
	check(t, err)
	check(t, tx.Rollback())
	all, err := q.listAuthors(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "Deledda" {
		t.Error(all, err)
	}
}
