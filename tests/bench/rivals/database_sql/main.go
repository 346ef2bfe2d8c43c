// Command database_sql measures brantsql beside mattn/go-sqlite3 and modernc.org/sqlite: the same statements by database/sql, each driver on a file of its own, in WAL mode with
// synchronous NORMAL and the same cache.
//
//	database_sql [SAMPLES]
//
// Medians of the samples, in which the drivers take turns, so that what else the machine does meets all of them.
package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brant-db/brant-go/brantsql"
	_ "github.com/mattn/go-sqlite3"
	_ "modernc.org/sqlite"
)

type driver struct {
	name, module, options string
	pool                  *sql.DB
	point, blob           *sql.Stmt
}

const (
	rows   = 10000
	script = `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, size REAL); CREATE TABLE w (id INTEGER PRIMARY KEY, name TEXT, size REAL);
		CREATE TABLE b (id INTEGER PRIMARY KEY, bytes BLOB);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO t SELECT i, 'name of ' || i, i / 2.0 FROM n`
	find = "SELECT name, size FROM t WHERE id = ?"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func scan(row *sql.Row) {
	var name string
	var size float64
	check(row.Scan(&name, &size))
}

// Each runs so many calls as one sample has.
var measures = []struct {
	name  string
	calls int
	run   func(d *driver, i int)
}{
	{"point query", 200, func(d *driver, i int) { scan(d.pool.QueryRow(find, i%rows+1)) }},
	{"point query, prepared", 200, func(d *driver, i int) { scan(d.point.QueryRow(i%rows + 1)) }},
	{"100 inserts in a transaction", 2, func(d *driver, _ int) {
		tx := must(d.pool.Begin())
		for j := range 100 {
			must(tx.Exec("INSERT INTO w (name, size) VALUES (?, ?)", "a name", float64(j)))
		}
		check(tx.Commit())
	}},
	{"10 000 rows of 3 columns", 1, func(d *driver, _ int) {
		all := must(d.pool.Query("SELECT id, name, size FROM t"))
		count := 0
		for all.Next() {
			var id int
			var name string
			var size float64
			check(all.Scan(&id, &name, &size))
			count++
		}
		check(all.Err())
		if count != rows {
			log.Fatal(d.name, ": ", count)
		}
	}},
	{"blob of 4 kB, in and out", 50, func(d *driver, i int) {
		must(d.pool.Exec("INSERT OR REPLACE INTO b VALUES (?, ?)", i%100, large))
		var back []byte
		check(d.blob.QueryRow(i % 100).Scan(&back))
		if len(back) != len(large) {
			log.Fatal(d.name, ": ", len(back))
		}
	}},
}

var large = make([]byte, 4096)

// setting reads a pragma, or what brant says instead, whose settings are not for SQL.
func setting(d *driver, name string) string {
	var value string
	if err := d.pool.QueryRow("PRAGMA " + name).Scan(&value); err != nil {
		info := must(must(brantsql.DB(context.Background(), d.pool)).Info(context.Background()))
		return "durability " + string(info.Durability)
	}
	return value
}

func main() {
	samples := 101
	if len(os.Args) > 1 {
		samples = must(strconv.Atoi(os.Args[1]))
	}
	if samples < 1 {
		log.Fatal(errors.New("at least one sample"))
	}
	_, _ = rand.Read(large)
	folder := must(os.MkdirTemp("", "database_sql"))
	defer os.RemoveAll(folder)
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			versions[module.Path] = module.Version
		}
	}
	pragmas := func(form string) string {
		var all []string
		for _, one := range [][2]string{{"journal_mode", "WAL"}, {"synchronous", "NORMAL"}, {"busy_timeout", "5000"}, {"cache_size", "-65536"}} {
			all = append(all, fmt.Sprintf(form, one[0], one[1]))
		}
		return "?" + strings.Join(all, "&") + "&_txlock=immediate"
	}
	drivers := []*driver{
		{name: "brant", module: "github.com/brant-db/brant-go"},
		{name: "sqlite3", module: "github.com/mattn/go-sqlite3", options: pragmas("_%s=%s")},
		{name: "sqlite", module: "modernc.org/sqlite", options: pragmas("_pragma=%s(%s)")},
	}
	fmt.Println(runtime.Version())
	for _, d := range drivers {
		d.pool = must(sql.Open(d.name, "file:"+filepath.Join(folder, d.name+".db")+d.options))
		defer d.pool.Close()
		must(d.pool.Exec(script))
		d.point, d.blob = must(d.pool.Prepare(find)), must(d.pool.Prepare("SELECT bytes FROM b WHERE id = ?"))
		var version string
		check(d.pool.QueryRow("SELECT sqlite_version()").Scan(&version))
		fmt.Printf("%-28s %s, SQLite %s, journal_mode %s, synchronous %s\n", d.module, versions[d.module], version, setting(d, "journal_mode"), setting(d, "synchronous"))
	}
	fmt.Printf("%-28s %12s %12s %12s %9s %9s\n", "median, us", "brant", "mattn", "modernc", "/ mattn", "/ modernc")
	for _, m := range measures {
		took := make([][]float64, len(drivers))
		for sample := range samples {
			for which, d := range drivers {
				began := time.Now()
				for i := range m.calls {
					m.run(d, sample*m.calls+i)
				}
				took[which] = append(took[which], float64(time.Since(began).Nanoseconds())/1e3/float64(m.calls))
			}
		}
		for _, all := range took {
			slices.Sort(all)
		}
		of := func(which int) float64 { return took[which][samples/2] }
		fmt.Printf("%-28s %12.1f %12.1f %12.1f %9.2f %9.2f\n", m.name, of(0), of(1), of(2), of(0)/of(1), of(0)/of(2))
	}
}
