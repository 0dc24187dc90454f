"""What the Costs page shows and exports, as plain values. Pure but for the routes: sums in, words and figures out."""
