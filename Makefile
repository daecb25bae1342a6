# Two commands do everything: `make up` and `make test`. README.md explains how to use your own cluster.
run := local/run

.PHONY: up down delete status diagnose env plugins prune check check-static check-lint check-files test compose-test browser-test workflow-test aws-test endurance alerts alerts-on-cluster logs-on-cluster publish publish-check publish-test toolchain-bundle bench faults help ready-for-test ready-for-bench ready-for-faults

help:
	@echo "make up      deploys Orcheo to the embedded Kubernetes cluster, or to the cluster that Pulumi.dev.yaml names"
	@echo "make status  shows on one screen whether Orcheo is healthy, and why not; ARGS=--json prints JSON"
	@echo "make diagnose  writes one archive for a bug report, without secrets"
	@echo "make env     prints variables for pulumi, kubectl and docker buildx: eval \"\$$(make -s env)\""
	@echo "make down    stops the embedded cluster and keeps its data"
	@echo "make delete  stops the embedded cluster and deletes its data"
	@echo "make plugins resolves the stack's plugins and writes their lock (docs/plugins.md)"
	@echo "make prune   frees disk space by deleting what can be rebuilt; clusters and their data are kept"
	@echo "make check   runs the fast tests: format, lint, types, imports, unit tests"
	@echo "make test    runs the tests, including the end-to-end tests on their own embedded clusters"
	@echo "make endurance  runs the end-to-end tests with their long parts, then make aws-test (docs/testing.md)"
	@echo "make compose-test  runs compose/dev.yaml and compose/prod.yaml on their own Docker engine"
	@echo "make browser-test  runs browser nodes of both releases in the image with Chromium, on its own cluster"
	@echo "make workflow-test  checks the GitHub workflows with actionlint and zizmor, and runs them with act"
	@echo "make aws-test  lives the life of a production on AWS, by the real provider against a stand-in account (docs/aws.md)"
	@echo "make alerts   lets every alert fire and stay silent, by the engine of VictoriaMetrics"
	@echo "make alerts-on-cluster  tests each alert on its own cluster: a real fault, its runbook, the resolution"
	@echo "make logs-on-cluster  tests logs, audit logs and the alerts on them on its own cluster"
	@echo "make publish  copies tested images to a registry, signed and with their SBOM (docs/publishing.md)"
	@echo "make publish-check  compares images/published.json with the registry"
	@echo "make publish-test  publishes to a registry on loopback"
	@echo "make toolchain-bundle  packs the built tools of make up for a release (docs/publishing.md)"
	@echo "make bench   measures performance against lower bounds, on its own cluster"
	@echo "make faults  kills workers, Valkey and Postgres under 33 runs and reports the outcome, on its own cluster"

up down delete env plugins prune ready-for-test ready-for-bench ready-for-faults:
	@$(run) node local/main.ts $@

# ARGS=--json make -s status; see `npm run status -- --help` for clusters of your own.
status diagnose:
	@$(run) node local/main.ts $@ $(ARGS)

# As `npm run check`, with what uses one core beside each other.
check: check-static
	@$(run) npm run unit
check-static:
	@$(run) true
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-lint check-files
check-lint:
	@$(run) npm run lint
check-files:
	@$(run) npm run format
	@$(run) npm run types
	@$(run) npm run imports

test: ready-for-test check-static
	@$(run) vitest run --project unit --project policy
	@$(run) node local/toolchain/build.ts >/dev/null
	@$(run) vitest run --project 'e2e-*' --project verdicts

endurance: ready-for-test
	@$(run) node local/toolchain/build.ts >/dev/null
	@ORCHEO_ENDURANCE=1 $(run) vitest run --project e2e-platform --project e2e-neighbours --project verdicts
	@$(run) vitest run --project flux
	@$(MAKE) --no-print-directory aws-test

compose-test:
	@$(run) node local/toolchain/build.ts cluster add-ons compose test >/dev/null
	@$(run) vitest run --project compose

browser-test: ready-for-test
	@$(run) node local/toolchain/build.ts >/dev/null
	@$(run) vitest run --project browser

workflow-test:
	@$(run) vitest run --project workflows

aws-test: ready-for-test
	@$(run) node local/toolchain/build.ts >/dev/null
	@$(run) vitest run --project aws --project aws-policies

alerts:
	@$(run) vitest run --project alerts

alerts-on-cluster: ready-for-test
	@$(run) node local/toolchain/build.ts >/dev/null
	@$(run) vitest run --project alerts-on-cluster --project monitoring-kinds

logs-on-cluster: ready-for-test
	@$(run) node local/toolchain/build.ts >/dev/null
	@$(run) vitest run --project logs-on-cluster

publish:
	@$(run) node local/publish/main.ts

publish-check:
	@$(run) node local/publish/digests.ts

publish-test:
	@$(run) vitest run --project publish

toolchain-bundle:
	@$(run) node local/toolchain/build.ts pulumi cluster add-ons >/dev/null
	@$(run) node local/toolchain/bundle.ts $(BUNDLE)

bench: ready-for-bench
	@$(run) node tests/bench/main.ts

faults: ready-for-faults
	@$(run) node tests/faults/main.ts
