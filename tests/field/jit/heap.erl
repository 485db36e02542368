%% SPDX-License-Identifier: GPL-2.0-only OR MIT
%% Keep binaries, each too large to be part of a process's own heap.
-module(heap).
-export([start/0]).

start() ->
	Kept = keeps_binaries(300),
	io:format("~p~n", [length(Kept)]),
	erlang:halt(0).

keeps_binaries(Number) ->
	[binary:copy(<<"0123456789">>, 200) || _ <- lists:seq(1, Number)].
