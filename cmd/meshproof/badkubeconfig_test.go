package main

import (
	"net/http"
	"os"
	"time"

	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

func badKubeconfigs() []badInput {
	say := func(rest ...string) []string {
		return append([]string{"kubeconfig west.yaml", "of cluster cluster-2"}, rest...)
	}
	west := func(text string) func(*world) { return func(w *world) { w.write("west.yaml", text) } }
	return []badInput{
		{name: "missing", spoil: func(w *world) { w.must(os.Remove("west.yaml")) },
			says: say("no such file", "aws eks update-kubeconfig --kubeconfig west.yaml")},
		{name: "empty", spoil: west(" \n"), says: say("is empty", "give a kubeconfig")},
		{name: "a directory", spoil: func(w *world) { w.must(os.Remove("west.yaml")); w.must(os.Mkdir("west.yaml", 0o755)) },
			says: say("is a directory", "give the file in it")},
		{name: "not YAML", spoil: west("{a: ["), says: say("yaml", "give a kubeconfig file")},
		{name: "no context", spoil: west("{apiVersion: v1, kind: Config}"), says: say("no context", "give a kubeconfig that leads to a cluster")},
		{name: "an expired certificate",
			spoil: func(w *world) { w.certified(time.Unix(0, 0), time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)) },
			twin:  func(w *world) { w.certified(time.Unix(0, 0), time.Now().Add(time.Hour)) },
			says:  []string{"kubeconfig east.yaml", "of cluster cluster-1", "certificate expired at 2020-01-02T03:04:05Z", "get a new kubeconfig"}},
		{name: "a certificate of the future",
			spoil: func(w *world) {
				w.certified(time.Date(2990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2991, 1, 1, 0, 0, 0, 0, time.UTC))
			},
			twin: func(w *world) { w.certified(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)) },
			says: []string{"not valid before 2990", "clock"}},
		{name: "a certificate's file is missing",
			spoil: func(w *world) {
				w.certified(time.Unix(0, 0), time.Now().Add(time.Hour))
				w.must(os.Remove("pki/client.crt"))
			},
			twin: func(w *world) { w.certified(time.Unix(0, 0), time.Now().Add(time.Hour)) },
			says: []string{"kubeconfig east.yaml", "client.crt", "no such file"}},
		{name: "no current-context", spoil: func(w *world) { w.edit("west.yaml", `current-context: "west"`, `current-context: ""`) },
			twin: func(w *world) { w.edit("west.yaml", `current-context: "west"`, `current-context: ""`) },
			good: both + " --context ctx_east@a.b:c --context west",
			says: say("no current-context", "(west)", "--context")},
		{name: "two contexts of one name", spoil: func(w *world) {
			w.edit("west.yaml", "contexts: [", `contexts: [{name: "west", context: {cluster: other, user: west}}, `)
		}, twin: func(w *world) {
			w.edit("west.yaml", "contexts: [", `contexts: [{name: "other", context: {cluster: other, user: west}}, `)
		}, says: say(`two contexts named "west"`, "rename or remove one")},
		{name: "two users of one name", spoil: func(w *world) {
			w.edit("west.yaml", "users: [", `users: [{name: "west", user: {token: `+apitest.Canary+`}}, `)
		},
			twin: func(w *world) {
				w.edit("west.yaml", "users: [", `users: [{name: "else", user: {token: `+apitest.Canary+`}}, `)
			},
			says: say(`two users named "west"`, "rename or remove one")},
		{name: "a context that is not there", bad: both + " --context ctx_east@a.b:c --context wset", good: both + " --context ctx_east@a.b:c --context west",
			says: say(`no context "wset"`, `did you mean "west"?`, "--context")},
	}
}

func badServers() []badInput {
	return []badInput{
		{name: "one context for two kubeconfigs", bad: both + " --context west", good: both + " --context ctx_east@a.b:c --context west",
			says: []string{"--context", "one for each --kubeconfig"}},
		{name: "one cluster", bad: "--kubeconfig east.yaml", says: []string{"1 clusters", "--kubeconfig twice"}},
		{name: "a cluster given twice among three", bad: both + " --kubeconfig east.yaml", says: []string{"clusters cluster-1 and cluster-3 are one and the same"}},
		{name: "both for the same cluster", spoil: func(w *world) {
			w.farm.Server("west").Put(w.t, "/api/v1/namespaces/kube-system", "{metadata: {name: kube-system, uid: uid-of-east}}")
		}, says: []string{"clusters cluster-1 and cluster-2 are one and the same", "uid-of-east", "give kubeconfigs of different clusters"}},
		{name: "both for the same cluster, which does not answer", spoil: func(w *world) {
			w.edit("east.yaml", "https://east.example.com", "https://Gone.example.com")
			w.edit("west.yaml", "https://west.example.com", "https://gone.example.com:443/")
		}, says: []string{"one API server", "https://gone.example.com", "give kubeconfigs of different clusters"}},
		{name: "an API server at 127.0.0.1", spoil: func(w *world) { w.edit("west.yaml", "https://west.example.com", "https://127.0.0.1:6443") },
			says: []string{"cluster cluster-2", "https://127.0.0.1:6443", "pod", "give a kubeconfig with an address"}},
		{name: "an API server at localhost", spoil: func(w *world) { w.edit("west.yaml", "https://west.example.com", "https://localhost") },
			says: []string{"cluster cluster-2", "https://localhost", "give a kubeconfig with an address"}},
		{name: "a context with /", spoil: func(w *world) {
			w.write("west.yaml", w.farm.Kubeconfig("west", "arn:aws:eks:eu-west-1:1:cluster/west"))
		},
			twin: func(w *world) {
				w.write("west.yaml", w.farm.Kubeconfig("west", "arn:aws:eks:eu-west-1:1:cluster_west"))
			},
			says: []string{"cluster-2", "asmcli create-mesh", "arn-aws-eks-eu-west-1-1-cluster/west", "KUBECONFIG=west.yaml kubectl config rename-context arn:aws:eks:eu-west-1:1:cluster/west NAME"}},
		{name: "a context with capitals", spoil: func(w *world) { w.write("west.yaml", w.farm.Kubeconfig("west", "West")) },
			says: []string{"cluster-2", "asmcli create-mesh", "(KUBECONFIG=west.yaml kubectl config rename-context West NAME)", "lower-case"}},
		{name: "credentials that are refused", spoil: func(w *world) { w.farm.Server("west").Fail(http.MethodGet, "/readyz", http.StatusUnauthorized) },
			says: []string{"cluster-2", "does not take the credentials", "log in again"}},
		{name: "a user who may not look", spoil: func(w *world) { w.farm.Server("west").Fail(http.MethodGet, system+"/pods", http.StatusForbidden) },
			says: []string{"cluster-2", "may not do this", "meshproof rbac"}},
		{name: "another certificate authority", spoil: func(w *world) { w.otherCA() },
			twin: func(w *world) { w.certified(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)) },
			says: []string{"cluster-2", "unknown authority", "give the kubeconfig that belongs to this cluster"}},
	}
}
