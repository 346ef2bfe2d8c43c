package brant_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brant-db/brant-go"
)

func ptr[T any](value T) *T { return &value }

func TestAccounts(t *testing.T) {
	db, ann, acme := guarded(t)
	equal(t, must(db.Accounts.Find(ctx, "ANN@Example.com"))(t).ID, ann.ID)
	changed := must(db.Accounts.Update(ctx, ann.ID, brant.AccountChange{Name: ptr(""), Metadata: map[string]int{"a": 1}}, brant.Actor{ID: ann.ID, Reason: "mine"}))(t)
	equal(t, changed.Name, "")
	sameJSON(t, changed.Metadata, `{"a":1}`)
	_, err := db.Accounts.Create(ctx, brant.NewAccount{Email: "Ann@example.com"})
	wants(t, err, brant.ErrExists)
	_, err = db.Accounts.Create(ctx, brant.NewAccount{Email: "no"})
	wants(t, err, brant.ErrInvalid)
	_, err = db.Accounts.Delete(ctx, ann.ID)
	wants(t, err, brant.ErrConstraint)
	_, err = db.Accounts.Get(ctx, "no")
	wants(t, err, brant.ErrNotFound)

	bob := must(db.Accounts.Create(ctx, brant.NewAccount{Email: "bob@example.com", AccessLevel: brant.AccessService}))(t)
	_, err = db.Members.Add(ctx, acme.ID, bob.ID, "", brant.Actor{ID: bob.ID})
	wants(t, err, brant.ErrDenied)
	_, err = db.Members.Add(ctx, acme.ID, bob.ID, "", brant.Actor{ID: ann.ID}, brant.Actor{ID: bob.ID})
	wants(t, err, brant.ErrInvalid)
	equal(t, must(db.Members.Add(ctx, acme.ID, bob.ID, "", brant.Actor{ID: ann.ID}))(t).Level, brant.LevelMember)
	equal(t, must(db.Members.SetLevel(ctx, acme.ID, bob.ID, brant.LevelAdmin))(t).Level, brant.LevelAdmin)
	check(t, db.Members.Leave(ctx, acme.ID, "", brant.Actor{ID: bob.ID}))
	wants(t, db.Members.Remove(ctx, acme.ID, bob.ID), brant.ErrNotFound)
	count := 0
	for account, err := range db.Accounts.All(ctx, &brant.AccountListOptions{AccessLevel: brant.AccessService}) {
		check(t, err)
		equal(t, account.ID, bob.ID)
		count++
	}
	equal(t, count, 1)
	check(t, db.Tx(ctx, func(tx *brant.Tx) error {
		_, err := tx.Accounts.Deactivate(ctx, bob.ID)
		return err
	}))
	page := must(db.Accounts.List(ctx, &brant.AccountListOptions{Status: brant.AccountInactive}))(t)
	equal(t, len(page.Items), 1)
	equal(t, must(db.Accounts.Delete(ctx, bob.ID))(t).Deleted, true)
	equal(t, must(db.Audit.Verify(ctx, nil))(t).OK, true)
	equal(t, len(must(brant.IdentitySchemas())(t)), 6)
}

func TestAPIKeys(t *testing.T) {
	db, ann, acme := guarded(t)
	issued := must(db.APIKeys.Create(ctx, brant.NewAPIKey{Name: "k", Scopes: []string{"nodes:read"}, OrgID: acme.ID}, brant.Actor{ID: ann.ID}))(t)
	token := issued.Token.Reveal()
	found := must(db.APIKeys.Verify(ctx, token))(t)
	equal(t, found.Account.ID, ann.ID)
	equal(t, found.Organization.ID, acme.ID)
	equal(t, found.Level, brant.LevelOwner)
	if used := must(db.APIKeys.Get(ctx, issued.Key.ID))(t).LastUsedAt; time.Since(used.Time()) > time.Minute {
		t.Fatal(used)
	}
	who := must(db.Authenticate(ctx, token))(t)
	s := session(t, db, who.Identity)
	_, err := s.Graph("g").Nodes.Get(ctx, "a")
	wants(t, err, brant.ErrNotFound)
	_, err = s.Graph("g").Nodes.Put(ctx, brant.NewNode{Key: "a"})
	wants(t, err, brant.ErrDenied)

	rotated := must(db.APIKeys.Rotate(ctx, issued.Key.ID, &brant.RotateKeyOptions{Overlap: -1}))(t)
	equal(t, rotated.Previous.ID, issued.Key.ID)
	equal(t, rotated.Key.RotatedFrom, issued.Key.ID)
	_, err = db.APIKeys.Verify(ctx, token)
	wants(t, err, brant.ErrAuth)
	_, err = db.APIKeys.Rotate(ctx, issued.Key.ID, nil)
	wants(t, err, brant.ErrConflict)
	equal(t, len(must(db.APIKeys.List(ctx, &brant.APIKeyListOptions{Active: ptr(true)}))(t).Items), 1)
	equal(t, len(must(db.APIKeys.List(ctx, &brant.APIKeyListOptions{OrgID: ptr("")}))(t).Items), 0)
	must(db.APIKeys.Revoke(ctx, rotated.Key.ID))(t)
	_, err = db.Authenticate(ctx, rotated.Token.Reveal())
	wants(t, err, brant.ErrAuth)

	sum := sha256.Sum256([]byte("an old and long token"))
	must(db.APIKeys.Import(ctx, brant.NewAPIKey{Name: "old", Scopes: []string{"accounts:self"}, OwnerID: ann.ID}, hex.EncodeToString(sum[:])))(t)
	equal(t, must(db.APIKeys.Verify(ctx, "an old and long token"))(t).Key.Scheme, brant.SchemeLegacy)
}

func TestInvitations(t *testing.T) {
	db, ann, acme := guarded(t)
	bob := must(db.Accounts.Create(ctx, brant.NewAccount{Email: "bob@example.com"}))(t)
	invited := must(db.Invitations.Create(ctx, brant.NewInvitation{OrgID: acme.ID, Email: "bob@example.com", TTL: time.Hour}, brant.Actor{ID: ann.ID}))(t)
	equal(t, invited.Invitation.InvitedBy, ann.ID)
	_, err := db.Invitations.Accept(ctx, invited.Token.Reveal(), ann.ID)
	wants(t, err, brant.ErrDenied)
	_, err = db.Invitations.Accept(ctx, "brant_invite_x", bob.ID)
	wants(t, err, brant.ErrAuth)
	accepted := must(db.Invitations.Accept(ctx, invited.Token.Reveal(), "", brant.Actor{ID: bob.ID}))(t)
	equal(t, accepted.Member.AccountID, bob.ID)
	_, err = db.Invitations.Reject(ctx, invited.Token.Reveal())
	wants(t, err, brant.ErrConflict)
}

func TestTokensAreNotShown(t *testing.T) {
	db, ann, _ := guarded(t)
	issued := must(db.APIKeys.Create(ctx, brant.NewAPIKey{Name: "k", Scopes: []string{"accounts:self"}, OwnerID: ann.ID}))(t)
	token := issued.Token.Reveal()
	if !strings.HasPrefix(token, "brant_key_") {
		t.Fatal(token)
	}
	hidden := struct{ inside brant.Token }{issued.Token}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "token", issued.Token, "all", issued)
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "token", issued.Token, "all", issued)
	written := must(json.Marshal(issued))(t)
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %d %v %+v %#v %v %s %s", issued, issued, issued, issued.Token, issued.Token, issued.Token, issued.Token,
		hidden, hidden, hidden, &issued, written, log.String())
	for _, part := range []string{token, token[10:], hex.EncodeToString([]byte(token))} {
		if strings.Contains(shown, part) {
			t.Fatal("the token is shown")
		}
	}
	if err := gob.NewEncoder(new(bytes.Buffer)).Encode(issued.Token); err == nil {
		t.Fatal("gob took it")
	}
	issued.Token.Wipe()
	equal(t, issued.Token.Reveal(), "")
	brant.Token{}.Wipe()
	_, err := db.APIKeys.Verify(ctx, token+"x")
	if strings.Contains(wants(t, err, brant.ErrAuth).Error(), token[10:]) {
		t.Fatal("the error shows it")
	}
}

func TestAudit(t *testing.T) {
	db, ann, _ := guarded(t)
	row := must(db.Audit.Append(ctx, brant.NewAuditRow{
		Action: "door.open", Resource: "door:1", Detail: map[string]int{"n": 1}, Personal: map[string]string{"who": "Ann A."}, Subject: "ann",
	}, brant.Actor{ID: ann.ID, Reason: "late"}))(t)
	stored := must(db.Audit.Get(ctx, row.Seq))(t)
	equal(t, stored.Hash, row.Hash)
	equal(t, stored.ActorID, ann.ID)
	equal(t, must(db.Audit.Prove(ctx, row.Seq, "ann", "who", "Ann A."))(t), true)
	checkpoint := must(db.Audit.Checkpoint(ctx))(t)
	equal(t, must(db.Audit.EraseSubject(ctx, "ann"))(t).Erased, true)
	_, err := db.Audit.Prove(ctx, row.Seq, "ann", "who", "Ann A.")
	wants(t, err, brant.ErrNotFound)
	report := must(db.Audit.Verify(ctx, &brant.VerifyOptions{Checkpoints: []brant.Checkpoint{checkpoint}}))(t)
	equal(t, report.OK, true)
	var seqs []int64
	for row, err := range db.Audit.All(ctx, &brant.AuditListOptions{Descending: true}) {
		check(t, err)
		seqs = append(seqs, row.Seq)
	}
	equal(t, int64(len(seqs)), report.Last)
	equal(t, seqs[0], report.Last)
	equal(t, len(must(db.Audit.List(ctx, &brant.AuditListOptions{ActorID: ptr("")}))(t).Items) > 0, true)
	equal(t, must(db.Audit.Export(ctx, 0, 2))(t).Next, 2)
	equal(t, must(db.Audit.Prune(ctx, row.Seq, checkpoint))(t).Done, true)
	_, err = db.Audit.Append(ctx, brant.NewAuditRow{Action: "accounts.create"})
	wants(t, err, brant.ErrInvalid)
	other := opened(t)
	_, err = other.Audit.Append(ctx, brant.NewAuditRow{Action: "door.open"})
	wants(t, err, brant.ErrNotFound)
}

func TestAccess(t *testing.T) {
	db, ann, _ := guarded(t)
	me := "account:" + ann.ID
	must(db.Access.Seed(ctx))(t)
	must(db.Access.Put(ctx, me, brant.NodePrincipal, map[string]string{"kind": "account"}))(t)
	granted := must(db.Access.Grant(ctx, brant.Grant{Subject: me, Scopes: []string{"nodes:*"}, Resource: "graph:g"}))(t)
	verdict := must(db.Access.Check(ctx, me, "nodes:read", "graph:g", brant.AtLeast(granted.Revision)))(t)
	equal(t, verdict.Allowed, true)
	_, err := db.Access.Check(ctx, me, "nodes:read", "graph:g", brant.AtLeast(verdict.Revision+1))
	wants(t, err, brant.ErrConflict)
	equal(t, must(db.Access.Check(ctx, me, "nodes:read", ""))(t).Allowed, false)
	must(db.Access.Delegate(ctx, brant.Delegation{From: me, To: "bot", Scopes: []string{"nodes:read"}, ExpiresAt: time.Now().Add(time.Hour)}))(t)
	answers := must(db.Access.CheckMany(ctx, []brant.Question{{"bot", "nodes:read", "graph:g"}, {"bot", "nodes:write", "graph:g"}, {"bot", "no", ""}}))(t)
	equal(t, answers.Items[0].Allowed, true)
	equal(t, answers.Items[1].Allowed, false)
	wants(t, answers.Items[2].Err, brant.ErrInvalid)
	why := must(db.Access.Explain(ctx, "bot", "nodes:read", "graph:g"))(t)
	equal(t, why.Path[0].Kind, "Delegates")
	for key, err := range db.Access.Objects(ctx, "bot", "nodes:read", nil) {
		check(t, err)
		equal(t, key, "graph:g")
	}
	equal(t, must(db.Access.ListSubjects(ctx, "nodes:read", "graph:g", &brant.AccessListOptions{Kind: "Agent"}))(t).Items[0], "bot")
	held := must(db.Access.Expand(ctx, "nodes:read", "graph:g", nil))(t).Grants
	equal(t, slices.ContainsFunc(held, func(h brant.AccessHeld) bool { return h.From.Key == me }), true)
	must(db.Access.Deny(ctx, brant.Grant{Subject: "bot", Scopes: []string{"*:*"}}))(t)
	equal(t, must(db.Access.Explain(ctx, "bot", "nodes:read", "graph:g"))(t).DeniedBy.Source, "bot")
	equal(t, must(db.Access.Revoke(ctx, brant.Revocation{Kind: brant.RevokeGrant, Subject: me, Target: "graph:g"}))(t).Revoked, 1)
	must(db.Access.SetParent(ctx, "graph:g", "graph:all"))(t)
	must(db.Access.SetParent(ctx, "graph:g", ""))(t)
	_, err = db.AccessGraph("other").Check(ctx, me, "nodes:read", "")
	wants(t, err, brant.ErrNotFound)
	must(db.Access.Remove(ctx, "bot"))(t)
}
