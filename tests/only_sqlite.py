"""Tests that `--engine postgres` leaves out: they are about the file that SQLite keeps, or ask SQLite how it finds rows.

A name stands for all that begin with it. What they stand for is tried on PostgreSQL in `tests/storage/test_postgres.py`.
"""

from __future__ import annotations

ONLY_SQLITE: tuple[str, ...] = (
    # The file: damaged, gone, foreign, locked, newer, older, and its copies.
    "tests/storage/test_opening.py",
    "tests/storage/test_old_stores.py",
    "tests/storage/test_faults.py::test_rows_acknowledged_before_a_kill",
    "tests/storage/test_faults.py::test_a_full_disk_is_named",
    "tests/storage/test_faults.py::test_a_batch_lost_to_a_full_disk",
    "tests/storage/test_snapshots.py::test_a_store_goes_to_the_hub",
    "tests/storage/test_store.py::test_a_backup_can_be_put_in_place",
    "tests/storage/test_store.py::test_a_database_held_by_somebody_else",
    "tests/storage/test_store.py::test_the_pragmas_are",
    "tests/storage/test_verify.py::test_a_damaged_index",
    "tests/storage/test_vote_chain.py::test_an_anchor_counts_what_a_restored_database_lacks",
    "tests/faults/test_kills.py::test_an_upgrade_that_is_killed",
    "tests/faults/test_kills.py::test_a_lost_log",
    "tests/faults/test_kills.py::test_a_folder_or_file_that_cannot_be_written",
    # Steps of the schema from before there was PostgreSQL.
    "tests/storage/test_board_step.py::test_battles_and_votes_are_made_anew",
    "tests/storage/test_money.py::test_lines_of_before",
    "tests/storage/test_vote_chain.py::test_votes_from_before_the_chain",
    # Connections, cursors and commits of SQLite's own.
    "tests/storage/test_store.py::test_a_cursor_left_open",
    "tests/storage/test_store.py::test_connections_of_ended_threads",
    "tests/storage/test_store.py::test_waiting_jobs_share_a_commit",
    # Which index SQLite goes by, and how often it is asked.
    "tests/storage/test_battles.py::test_what_is_asked_of_battles",
    "tests/storage/test_board_step.py::test_each_list_that_the_arena_asks_for",
    "tests/storage/test_curation.py::test_an_action_on_many_runs",
    "tests/storage/test_history.py::test_a_page_of_one_owner_is_read_from_the_index",
    "tests/storage/test_history.py::test_a_search_walks_the_text_index",
    "tests/storage/test_history.py::test_whose_bytes_they_are_is_read_from_indexes",
    "tests/storage/test_lineage.py::test_a_branch_goes_by_indexes",
    "tests/storage/test_money.py::test_looking_up_what_counts",
    "tests/storage/test_performance.py::test_the_newest_runs_are_found_by_an_index",
    "tests/storage/test_runs.py::test_views_take_as_many_queries",
    "tests/storage/test_search.py::test_each_order_is_read_from_an_index",
    # What is kept is spoilt from outside, in the file itself.
    "tests/arena/test_audit.py::test_a_sum_that_is_wrong",
    "tests/arena/test_audit.py::test_a_total_that_is_wrong",
    "tests/arena/test_audit.py::test_days_that_a_replay_does_not_give",
    # The test sets the scene in SQLite's own JSON functions, which no statement of ours uses.
    "tests/arena/test_board.py::test_a_recount_tells_and_mends",
    "tests/arena/test_chances.py::test_a_strangers_key_and_quota",
    "tests/arena/test_chances.py::test_a_strangers_bad_key",
    "tests/arena/test_chances.py::test_a_refused_prompt",
    "tests/arena/test_chances.py::test_one_visitors_bad_key",
    # Every row of every table is read by sqlite-utils, the tables as SQLite lists them.
    "tests/arena/test_erasing.py::test_everything_of_one_visitor",
    # A copied folder brings its rows along only where they are in a file of it.
    "tests/playground/test_archives.py::test_open_runs_and_hidden_battles_stay",
    # Other processes open the folder by themselves, and so the file or a database that is not this one.
    "tests/playground/test_archives.py::test_a_kill_in_mid_import",
    "tests/playground/test_kills.py::test_a_kill_at_any_moment",
    "tests/playground/test_limits.py::test_two_processes_never_go_over",
    # The disk is full for files of this process, which the server's are not.
    "tests/playground/test_unsaved.py::test_nothing_is_sent_while_the_disk_is_full",
)
