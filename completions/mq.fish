# Completions of mq for fish. `mq complete` knows the commands, options and values; this passes it the words up to the cursor.

function __mq_complete
    set -l current (commandline --cut-at-cursor --current-token)
    # An open quotation is fish's own.
    set -l unquoted (string replace --regex '^[\'"]' '' -- $current)
    test "$unquoted" = "$current"; and set unquoted (string unescape -- $current)
    set -l words (commandline --cut-at-cursor --current-process --tokenize) "$unquoted"
    set -l lines (printf '%s\0' $words | command mq complete 2>/dev/null)
    set -l head (string split \t -- $lines[1])
    string join \n -- $lines[2..-1]
    set -l part (string replace -- "$head[3]" '' "$unquoted")
    switch "$head[2]"
        case files
            printf "$head[3]%s\n" (__fish_complete_path "$part")
        case directories
            printf "$head[3]%s\n" (__fish_complete_directories "$part")
    end
end

complete --command mq --no-files --keep-order --arguments '(__mq_complete)'
