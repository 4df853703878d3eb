"""What we know: rule cards, models of libraries, and the code that reads them."""
