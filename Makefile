# At most ten verbs. `make run` and `make test` are all that a newcomer needs.
.PHONY: run test lint bench bench-instructions bench-ledger test-real test-long fmt

run: ## build and start on 127.0.0.1:8080 with everything embedded; prints a first curl
	@scripts/run.sh

test: ## every test: Rust, the house rules, the official clients
	@scripts/test.sh

lint: ## formatting, clippy, house rules, licences
	@scripts/lint.sh

fmt: ## format everything
	cargo fmt --all

bench: ## CPU and latency beside a bare proxy; see docs/performance.md
	@scripts/bench.sh

bench-instructions: ## instructions of a request and a chunk, counted with valgrind
	@scripts/bench-instructions.sh

bench-ledger: ## settlements a second on one hot account, durable; arguments in LEDGER
	@scripts/bench-ledger.sh $(LEDGER)

test-real: ## a real local model through Signalbox, and its bill
	@tests/real/run.sh

test-long: ## what takes longer than CI has: longer properties and fuzzing
	@scripts/test-long.sh
