// Another SQLite in the same program, mattn/go-sqlite3: a module of its own, so that the package depends on nothing.
package foreign

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/brant-db/brant-go"
	_ "github.com/mattn/go-sqlite3"
)

var ctx = context.Background()

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func query(t *testing.T, db *sql.DB, text string) (answer string) {
	t.Helper()
	check(t, db.QueryRow(text).Scan(&answer))
	return answer
}

// Each has its own SQLite, and they work side by side on files of their own.
func TestSideBySide(t *testing.T) {
	folder := t.TempDir()
	theirs, err := sql.Open("sqlite3", filepath.Join(folder, "theirs.db"))
	check(t, err)
	defer theirs.Close()
	ours, err := brant.Open(filepath.Join(folder, "ours.db"), nil)
	check(t, err)
	defer ours.Close()
	_, err = theirs.Exec("CREATE TABLE t (x); INSERT INTO t VALUES ('theirs')")
	check(t, err)
	_, err = ours.Execute(ctx, "CREATE TABLE t (x)")
	check(t, err)
	for range 100 {
		_, err = ours.Execute(ctx, "INSERT INTO t VALUES ('ours')")
		check(t, err)
		if got := query(t, theirs, "SELECT x FROM t"); got != "theirs" {
			t.Fatal(got)
		}
	}
	info, err := ours.Info(ctx)
	check(t, err)
	t.Logf("ours is SQLite %s, theirs %s", info.SQLiteVersion, query(t, theirs, "SELECT sqlite_version()"))
	rows, err := ours.Execute(ctx, "SELECT count(*) FROM t")
	check(t, err)
	if rows.Rows[0][0] != int64(100) {
		t.Fatal(rows.Rows)
	}
}

// Two on one file break each other's locks: the second is refused.
func TestSameFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	ours, err := brant.Open(path, nil)
	check(t, err)
	check(t, ours.Close())

	theirs, err := sql.Open("sqlite3", path)
	check(t, err)
	defer theirs.Close()
	check(t, theirs.Ping())
	query(t, theirs, "SELECT count(*) FROM graphs")
	_, err = brant.Open(path, nil)
	if !errors.Is(err, brant.ErrForeignSQLite) {
		t.Fatal(err)
	}
	check(t, theirs.Close())
	ours, err = brant.Open(path, nil)
	check(t, err)

	// And where they come later, the next maintenance says so.
	theirs, err = sql.Open("sqlite3", path)
	check(t, err)
	defer theirs.Close()
	query(t, theirs, "SELECT count(*) FROM graphs")
	_, err = ours.Maintain(ctx)
	if !errors.Is(err, brant.ErrForeignSQLite) {
		t.Fatal(err)
	}
	check(t, ours.Close())
}
