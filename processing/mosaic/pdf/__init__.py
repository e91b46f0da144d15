"""PDF files: a mosaic on a page of its true size, cut over the pages of a small printer, and plans to build one."""
