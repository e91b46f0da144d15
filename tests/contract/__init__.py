"""The contract, row by row: paths, parameters, fields and codes, letter for letter."""
