# Completions of mq for bash. `mq complete` knows the commands, options and values; this passes it the words up to the cursor.

_mq() {
    COMPREPLY=()
    local rest=${COMP_LINE:0:COMP_POINT} words=() count=0 word
    # Readline separates words at = and : as well, which mq does not.
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        local trimmed=${rest#"${rest%%[![:blank:]]*}"}
        word=${word:0:${#trimmed}}
        if [[ $count -gt 0 && $trimmed == "$rest" ]]; then
            words[count-1]+=$word
        else
            words[count++]=$word
        fi
        rest=${trimmed#"$word"}
    done
    # Redirections belong to the shell, as do the files after them.
    local operator='^[0-9]*(&>>?|[<>]&|<>|>[|]|<<<|<<-?|>>|[<>])' own=() is_file='' is_next=''
    for word in "${words[@]}"; do
        if [[ -n $is_next ]]; then
            is_file=yes is_next=''
        elif [[ $word =~ $operator ]]; then
            is_file=yes
            [[ $word == "${BASH_REMATCH[0]}" ]] && is_next=yes
        else
            own+=("$word") is_file=''
        fi
    done
    if [[ -n $is_file ]]; then
        compopt -o default 2> /dev/null
        return
    fi
    words=("${own[@]}") count=${#own[@]}
    local typed=${words[count-1]} quote='' replaced start=0 at character
    # Readline replaces the text after the last break or opening quotation mark that neither \ nor a quotation covers.
    for (( at = 0; at < ${#typed}; at++ )); do
        character=${typed:at:1}
        if [[ $character == \\ && $quote != \' ]]; then
            (( at++ ))
        elif [[ -n $quote ]]; then
            [[ $character == "$quote" ]] && quote=''
        elif [[ $character == [\'\"] ]]; then
            quote=$character start=$((at + 1))
        elif [[ $COMP_WORDBREAKS == *"$character"* ]]; then
            start=$((at + 1))
        fi
    done
    [[ -z $quote && $typed == *[\'\"]* ]] && return
    replaced=${typed:start}
    local i
    for i in "${!words[@]}"; do
        # Quotation marks and backslashes belong to the shell.
        words[i]=${words[i]//[\'\"\\]/}
    done
    # The part of the word before the text that readline replaces.
    local current=${words[count-1]} kept
    kept=${current%"${replaced//\\/}"}

    local kind='' paths='' prefix='' value
    {
        IFS=$'\t' read -r kind paths prefix
        while IFS=$'\t' read -r value _; do
            value=${value#"$kept"}
            if [[ -z $quote ]]; then
                printf -v value %q "$value"
            elif [[ $quote == \' && $value == *\'* || $quote == \" && $value == *[\"\\\$\`\!]* ]]; then
                # It would end the quotation.
                continue
            fi
            COMPREPLY+=("$value")
        done
    } < <(printf '%s\0' "${words[@]}" | command mq complete 2> /dev/null)

    if [[ $kind == partial ]]; then
        compopt -o nospace 2> /dev/null
    fi
    case $paths in
        files) compopt -o default 2> /dev/null ;;
        directories) compopt -o dirnames 2> /dev/null ;;
    esac
}

complete -o nosort -F _mq mq 2> /dev/null || complete -F _mq mq
