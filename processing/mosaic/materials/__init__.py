"""Material and light: pieces of stone, smalti, gold, ceramic and glass instead of flat paint."""
