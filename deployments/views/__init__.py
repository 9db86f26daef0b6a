"""Pages. A view fetches through `visible_to`, calls one service, and shows or redirects."""
