# SPDX-License-Identifier: GPL-2.0-only OR MIT
# bash completion for stackdepot(1)
_stackdepot()
{
	local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words i

	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "run report stats top diff flame export suppress service agent push fleet corpus set
			--sysroot= --help --version" -- "$current"))
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			[ $((COMP_CWORD)) -eq $((i + 1)) ] && COMPREPLY=($(compgen -c -- "$current"))
			return
		fi
	done
	case $command in
	run)
		words="--memory= --store= --mode=full --mode=sample= --mode=off --overhead= --on-error=report --on-error=abort
			--error-exitcode= --lost --leaks-at-exit=lost --leaks-at-exit=live --follow-children=yes --follow-children=no --tags=sync --tags=async --tags=auto --tags=off --append --quiet
			--suppressions= --" ;;
	report)
		words="--all --limit= --json --process= --peak --peak-of-interval= --interval= --times= --suppressions=
			--no-default-suppressions"
		[ "$COMP_CWORD" -eq 2 ] && words="$words leaks lost peak memory errors top stats growth" ;;
	stats)
		words="--json --process=" ;;
	flame)
		words="-o --nodes= --process= --peak --peak-of-interval= --suppressions=" ;;
	export)
		words="--format=folded --format=json --format=pprof --format=speedscope --format=lsan --format=sarif
			--output= --value=live-bytes --value=live-objects
			--value=alloc-bytes --value=allocs --process= --peak --peak-of-interval= --suppressions=" ;;
	suppress)
		words="--gen --process= --suppressions= --no-default-suppressions" ;;
	top)
		words="--interval= --times= --sort=live --sort=objects --sort=growth --sort=alloc --sort=count
			--filter= --batch --limit= --all --process=" ;;
	diff)
		words="--fail-on-increase= --flame= --json --limit= --all --process= --peak --peak-of-interval=
			--suppressions=" ;;
	set)
		words="mode=full mode=off sample= overhead=" ;;
	service)
		words="--memory= --overhead= --mode=full --mode=sample= --mode=off --user --runtime --root= --restart --force --all"
		[ "$COMP_CWORD" -eq 2 ] && words="$words enable disable status" ;;
	agent)
		words="--listen= --stores= --token-file= --interval= --rate= --worker-memory= --push= --push-credentials=
			--push-ca-file= --push-spool= --push-every= --allow-lost" ;;
	push)
		words="--server= --database= --credentials= --ca-file= --plain --service= --version= --host= --spool=
			--spool-size= --every= --stores= --store-memory= --format=clickhouse --format=pprof --format=otlp --experimental --symbols --lost" ;;
	fleet)
		words="--server= --database= --credentials= --ca-file= --plain --service= --version= --host= --since= --until=
			--limit= --timeout= --json --by=version --by=host --by=service --fail-on-increase= --output= --cluster="
		[ "$COMP_CWORD" -eq 2 ] && words="$words top growth diff errors lost stack services hosts flame init" ;;
	corpus)
		words="-o --" ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}
complete -o filenames -F _stackdepot stackdepot
