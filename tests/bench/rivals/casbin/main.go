// Command casbin asks Casbin what tests/bench/access.c asked brant, of the same policy, and says how long it takes and whether the answers are the same.
//
// usage: casbin FILE [SECONDS]
//
// FILE is what bench_access wrote: a line each edge ("Grants account:1 graph:2 nodes:read") and each question ("? account:1 graph:2 nodes:read 1", with brant's answer). Agents are not asked about:
// nothing in Casbin is like a chain of delegations.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
)

const rules = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g2(r.obj, p.obj) && g(r.sub, p.sub) && fits(r.act, p.act)
`

type question struct {
	subject, resource, scope string
	allowed                  bool
}

// fits says whether a scope of a policy covers one that is asked for, whose parts are no *.
func fits(arguments ...any) (any, error) {
	wanted, _ := arguments[0].(string)
	have, _ := arguments[1].(string)
	wantedSpace, wantedAction, _ := strings.Cut(wanted, ":")
	space, action, _ := strings.Cut(have, ":")
	return (space == "*" || space == wantedSpace) && (action == "*" || action == wantedAction), nil
}

func read(path string) (policies, groups, parents [][]string, questions []question, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	defer file.Close()
	seen := map[string]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if words[0] == "?" {
			questions = append(questions, question{words[1], words[2], words[3], words[4] == "1"})
			continue
		}
		kind, source, target, scope := words[0], words[1], words[2], words[3]
		name := kind + " " + source + " " + target
		at, again := seen[name]
		switch kind {
		case "Grants", "Denies":
			effect := "allow"
			if kind == "Denies" {
				effect = "deny"
			}
			policy := []string{source, target, scope, effect}
			if again { // an edge that is written again has the scopes of the last time
				policies[at] = policy
				continue
			}
			seen[name] = len(policies)
			policies = append(policies, policy)
		case "BelongsTo", "HasRole":
			if !again {
				seen[name] = 0
				groups = append(groups, []string{source, target})
			}
		case "Parent":
			if !again {
				seen[name] = 0
				parents = append(parents, []string{source, target})
			}
		}
	}
	return policies, groups, parents, questions, lines.Err()
}

func run(path string, limit time.Duration) error {
	policies, groups, parents, questions, err := read(path)
	if err != nil {
		return err
	}
	parsed, err := model.NewModelFromString(rules)
	if err != nil {
		return err
	}
	enforcer, err := casbin.NewEnforcer(parsed)
	if err != nil {
		return err
	}
	enforcer.AddFunction("fits", fits)
	begin := time.Now()
	if _, err = enforcer.AddPolicies(policies); err != nil {
		return err
	}
	if _, err = enforcer.AddNamedGroupingPolicies("g", groups); err != nil {
		return err
	}
	if _, err = enforcer.AddNamedGroupingPolicies("g2", parents); err != nil {
		return err
	}
	fmt.Printf("rival: Casbin %-30d edges, loaded in %.1f s\n", len(policies)+len(groups)+len(parents), time.Since(begin).Seconds())
	var took []float64
	different, allowed := 0, 0
	end := time.Now().Add(limit)
	for _, asked := range questions {
		begin := time.Now()
		if begin.After(end) {
			break
		}
		yes, err := enforcer.Enforce(asked.subject, asked.resource, asked.scope)
		if err != nil {
			return err
		}
		took = append(took, float64(time.Since(begin).Nanoseconds())/1e3)
		if yes != asked.allowed {
			different++
		}
		if yes {
			allowed++
		}
	}
	sort.Float64s(took)
	fmt.Printf("rival: Casbin, Enforce (users) %13s p50 %9.1f us  p99 %9.1f us  max %9.0f us  %7d checks, %d yes, %d unlike brant's\n", "", took[len(took)/2], took[len(took)*99/100], took[len(took)-1], len(took), allowed, different)
	if different > 0 {
		return fmt.Errorf("%d answers are unlike brant's", different)
	}
	return nil
}

func main() {
	seconds := 20
	if len(os.Args) > 2 {
		seconds, _ = strconv.Atoi(os.Args[2])
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: casbin FILE [SECONDS]")
		os.Exit(2)
	}
	if err := run(os.Args[1], time.Duration(seconds)*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
