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
    # The token as typed, since fish expands ~ and variables in it.
    set -l raw (string replace -- "$head[3]" '' "$current")
    switch "$head[2]"
        case files
            string join \n -- "$head[3]"(complete -C "'' $raw")
        case directories
            string join \n -- "$head[3]"(__fish_complete_directories "$raw")
    end
end

complete --command mq --no-files --keep-order --arguments '(__mq_complete)'
