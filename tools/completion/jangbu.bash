# bash completion for jangbu. What there is to complete is asked of the program itself: `jangbu help`.

_jangbu_help() {
    LC_ALL=C jangbu help "$@" 2>/dev/null
}

# The ledger on the line so far: the first argument that is a directory with a log, else JANGBU_LEDGER.
_jangbu_ledger() {
    local word
    for word in "${COMP_WORDS[@]:2}"; do
        if [ -f "$word/log.mdb" ]; then
            printf '%s' "$word"
            return
        fi
    done
    printf '%s' "${JANGBU_LEDGER-}"
}

_jangbu_wallets() {
    local ledger
    ledger=$(_jangbu_ledger)
    if [ -n "$ledger" ]; then
        LC_ALL=C jangbu balance "$ledger" --all --json 2>/dev/null | head -n 1000 |
            sed -n 's/^{"wallet":"\([^"\\]*\)".*/\1/p'
    fi
}

# Of the words, one a line, those that begin like the one on the line. Not `compgen -W`, which expands
# its words: an id is a stranger's text, and may say $(...).
_jangbu_matching() {
    local word
    while IFS= read -r word; do
        if [[ -n $word && $word == "$1"* ]]; then
            printf '%s\n' "$word"
        fi
    done
}

_jangbu() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-} words
    # Both stand in patterns below: what is no name is none that there is.
    [[ $command == *[^a-z-]* ]] && command=help
    [[ $prev == *[^a-z-]* ]] && prev=
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$(_jangbu_help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
    elif [ "$command" = help ] && [ "$COMP_CWORD" -eq 2 ]; then
        words=$(_jangbu_help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
    elif [[ $cur == -* ]]; then
        words=$(_jangbu_help "$command" | grep -o -e '--[a-z][a-z-]*' | sort -u)
    elif [[ $prev == --* ]]; then
        # The words of an option stand in the usage, as in [--view posted|known].
        words=$(_jangbu_help "$command" | tr -d '\n' | tr -s ' ' |
            sed -n "s/.*\\[*${prev}[ =]\\([a-z_]*|[a-z_|]*\\).*/\\1/p" | tr '|' '\n')
    else
        words=
        if [ "$COMP_CWORD" -eq 2 ]; then
            words=$(_jangbu_help "$command" | sed -n "s/^  jangbu $command \\([a-z][a-z|-]*\\) .*/\\1/p" | tr "|" "\n")
        fi
        if _jangbu_help "$command" | grep -q '^  jangbu .*WALLET'; then
            words="$words
$(_jangbu_wallets)"
        fi
        mapfile -t COMPREPLY < <(_jangbu_matching "$cur" <<<"$words"; compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return
    fi
    mapfile -t COMPREPLY < <(_jangbu_matching "$cur" <<<"$words")
}

complete -F _jangbu jangbu
