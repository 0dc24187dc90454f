"""What `make test-all` adds: tests that take long for what they say beyond the others.

The tests that everybody runs must be over within five minutes on two cores. A name stands for all that begin with it.
"""

from __future__ import annotations

THOROUGH = (
    # Each browser page costs seconds; of every kind of journey one stays in the everyday run.
    "tests/ui/test_arena_keyboard.py",
    "tests/ui/test_provider_journeys.py",
    "tests/ui/test_two_visitors.py",
    "tests/ui/test_xray_page.py",
    "tests/ui/test_free_loop.py",
    "tests/ui/test_results_journeys.py",
    "tests/ui/test_lives_of_an_app.py",
    "tests/ui/test_hostile_texts.py",
    "tests/ui/test_leaderboard_page.py",
    "tests/ui/test_journeys.py::test_a_reload_in_mid_run",
    "tests/ui/test_journeys.py::test_a_refusal_and",
    "tests/ui/test_journeys.py::test_bad_input",
    "tests/ui/test_journeys.py::test_stop_ends",
    "tests/ui/test_journeys.py::test_two_photos",
    "tests/ui/test_journeys.py::test_what_people_type",
    "tests/ui/test_journeys.py::test_the_price_is",
    "tests/ui/test_arena_journeys.py::test_no_byte_tells_a_maker_before_a_vote_on_a_new",
    "tests/ui/test_settings_page.py::test_a_private_session",
    "tests/ui/test_playground_journeys.py::test_three_offers",
    "tests/ui/test_playground_journeys.py::test_of_a_sweep",
    "tests/ui/test_playground_journeys.py::test_a_full_disk",
    "tests/ui/test_playground_journeys.py::test_two_visitors",
    "tests/ui/test_costs_journey.py",
    "tests/ui/test_arena_gate.py::test_the_image_that_did_not_load",
    "tests/ui/test_arena_gate.py::test_no_place_jumps",
    "tests/ui/test_arena_gate.py::test_a_pair_that_does_not_load",
    "tests/ui/test_arena_gate.py::test_a_pair_that_a_link_names",
    "tests/ui/test_arena_gate.py::test_while_a_vote_is_taken_back",
    "tests/ui/test_arena_gate.py::test_no_key_answers",
    # The app started anew, with all that it loads.
    "tests/ui/test_command_line_failures.py::test_started_by_its_name",
    "tests/ui/test_command_line_failures.py::test_serving_says_where",
    "tests/ui/test_command_line_failures.py::test_streams_that_take_nothing",
    "tests/ui/test_command_line_failures.py::test_a_reader_that_leaves",
    # Every code sample carried out in its language; what they say is compared in every run.
    "tests/playground/test_samples.py",
    "tests/playground/test_job_samples.py",
    # Simulated crowds of voters, many for each claim.
    "tests/arena/test_voter_findings.py",
    "tests/arena/test_judging.py::test_who_push",
    "tests/arena/test_judging.py::test_where_a_third",
    "tests/arena/test_judging.py::test_tokens_of_a_few",
    "tests/arena/test_judging.py::test_what_a_person_lifted",
    "tests/arena/test_battle.py::test_400_battles",
    # A process killed again and again.
    "tests/faults/test_kills.py::test_sixty_kills",
    "tests/playground/test_kills.py::test_a_kill_at_any_moment",
    # Hanging and odd pictures at every provider; of each kind one stays in the everyday run elsewhere.
    "tests/faults/test_providers.py::test_a_provider_that_never_answers",
    "tests/faults/test_providers.py::test_what_stands_in_an_images_place",
    # Every drawing, offer and format again.
    "tests/arena/test_bank.py::test_drawing_again",
    "tests/providers/demo/test_generations.py",
    "tests/providers/demo/test_edits.py",
    "tests/providers/demo/test_reading.py",
    "tests/playground/test_every_offer.py",
    "tests/playground/test_formats.py",
    "tests/playground/test_job_contract.py::test_what_a_plan_of_an_older_model",
    "tests/ui/test_leaderboard_of_a_store.py::test_the_command_that_an_export_prints_makes_the_very_board[which1",
    "tests/ui/test_leaderboard_of_a_store.py::test_the_command_that_an_export_prints_makes_the_very_board[which2",
    "tests/playground/test_job_polls.py",
    "tests/playground/test_job_errors.py",
    "tests/playground/test_own_servers.py",
    "tests/ui/test_arena_new.py",
    "tests/playground/test_recall.py",
    # A page over several servers costs seconds.
    "tests/ui/test_two_replicas.py::test_visitors_of_two_replicas",
    "tests/ui/test_two_replicas.py::test_where_nginx",
    "tests/ui/test_two_replicas.py::test_forty",
    "tests/ui/test_two_replicas.py::test_while_the_object_store",
    "tests/ui/test_two_replicas.py::test_a_page_goes_on",
    # A server killed again and again.
    "tests/faults/test_database_kills.py",
    "tests/storage/test_postgres_faults.py::test_eight_kills",
    "tests/storage/test_postgres_faults.py::test_a_server_that_is_killed",
    "tests/storage/test_postgres_faults.py::test_a_server_that_hangs",
    "tests/playground/test_replicas.py::test_an_outage",
    # Ten thousand runs, and every list over them.
    "tests/storage/test_postgres_plans.py",
    # Two processes of the whole app, and the leases of each to run out.
    "tests/faults/test_replicas.py",
    # A process for each step, or several at once.
    "tests/storage/test_opening.py::test_four_processes_opening_at_once_all_come_up[True]",
    "tests/playground/test_kills.py::test_a_kill_at_each_step",
    # As long as a proxy keeps a connection that nobody uses.
    "tests/ui/test_served_doors.py::test_a_connection_between_two_requests",
    # Images and archives as large as they may be.
    "tests/hostile/test_images.py::test_each_image_is_refused_or_cleaned_at_every_door[LARGE]",
    "tests/hostile/test_fuzz.py::test_many_more_examples",
)
