"""What the Leaderboard shows and exports, as plain values. Pure but for the routes: boards in, words and figures out."""
