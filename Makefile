# Two commands do everything: `make up` and `make test`. README.md says what to do with a cluster of your own.
run := local/run

.PHONY: up down delete status env prune check test bench faults help ready-for-test ready-for-bench ready-for-faults

help:
	@echo "make up      all of Orcheo on the embedded Kubernetes, or on the cluster that Pulumi.dev.yaml names"
	@echo "make status  every part of it, make down  stops it (data stays), make delete  removes its data too"
	@echo "make check   the fast tests: format, lint, types, imports, unit tests"
	@echo "make env     variables for pulumi, kubectl and docker buildx by hand: eval \"\$$(make -s env)\""
	@echo "make test    all tests, the end-to-end tests on embedded clusters of their own included"
	@echo "make prune   frees the disk space of what can be made again; clusters and their data stay"
	@echo "make faults  what becomes of 33 runs when workers, Valkey and Postgres are lost, on a cluster of its own"
	@echo "make bench   figures beside their bounds, on a cluster of its own"

up down delete status env prune ready-for-test ready-for-bench ready-for-faults:
	@$(run) node local/main.ts $@

check:
	@$(run) npm run check

test: ready-for-test check
	@$(run) vitest run --project policy
	@$(run) node local/toolchain/build.ts >/dev/null
	@$(run) vitest run --project 'e2e-*' --project verdicts

bench: ready-for-bench
	@$(run) node tests/bench/main.ts

faults: ready-for-faults
	@$(run) node tests/faults/main.ts
