# bash completion for jangbud. What there is to complete is asked of the daemon itself: `jangbud --help`, `jangbud token`.

_jangbud_help() {
    LC_ALL=C jangbud --lang en --help 2>/dev/null
}

# Flags, a line each; behind `token` its own.
_jangbud_flags() {
    if [ "$1" = token ]; then
        LC_ALL=C jangbud token new --tokens /dev/null 2>&1 | grep -o -e '--[a-z][a-z-]*' | sort -u
        printf '%s\n' --tokens --config
    else
        _jangbud_help | grep -o -e '^  --[a-z-]*' -e '^ *--version, --help' | tr -d ' ' | tr ',' '\n'
        _jangbud_help | sed -n '/^Settings:/,$s/^  \([a-z][a-z-]*\)  *.*/--\1/p'
    fi
}

# What a flag takes, where it is one of several words.
_jangbud_words() {
    if [ "$1" = --scope ]; then
        printf '%s\n' read write people keyless page ops
        jangbud --openapi 2>/dev/null | sed -n 's/.*"command\.\([a-z._]*\)": {.*/\1/p'
    else
        _jangbud_help | sed -n "s/^  ${1#--}  .*; \\([a-z]*|[a-z|]*\\).*/\\1/p" | tr '|' '\n'
    fi
}

_jangbud() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words='' word
    COMPREPLY=()
    # It stands in a pattern: what is no flag is none that there is.
    [[ $prev == *[^a-z-]* ]] && prev=
    if [[ $prev == --?* ]]; then
        words=$(_jangbud_words "$prev")
    elif [[ ${COMP_WORDS[1]-} == token && $COMP_CWORD -eq 2 ]]; then
        words=new
    elif [[ $cur == -* ]]; then
        words=$(_jangbud_flags "${COMP_WORDS[1]-}")
    elif [ "$COMP_CWORD" -eq 1 ]; then
        words=token
    fi
    while IFS= read -r word; do
        [[ -n $word && $word == "$cur"* ]] && COMPREPLY+=("$word")
    done <<<"$words"
    if [[ $cur != -* && ${#COMPREPLY[@]} -eq 0 ]] || [[ $words == token ]]; then
        while IFS= read -r word; do
            COMPREPLY+=("$word")
        done < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
    fi
}

complete -F _jangbud jangbud
