"""The web app: its one HTML document, and its modules and style sheets as browsers fetch them."""
