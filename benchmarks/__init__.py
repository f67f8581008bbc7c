"""How long event studies take, here and elsewhere, on the same made panels: `make benchmarks` writes docs/performance.md."""
