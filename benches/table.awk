# Prints a table of the raw lines of all.sh: medians, in parentheses the range, and the ratio of each program to the peer of its row.
# Fields: raw ROW PROGRAM wall user system (seconds) memory (KiB).

function sorted(key, values,    count, parts, i, j, swap) {
    count = split(values[key], parts, " ")
    for (i = 1; i <= count; i++) for (j = i + 1; j <= count; j++) if (parts[j] + 0 < parts[i] + 0) {
        swap = parts[i]; parts[i] = parts[j]; parts[j] = swap
    }
    low = parts[1]; high = parts[count]
    return count % 2 ? parts[(count + 1) / 2] : (parts[count / 2] + parts[count / 2 + 1]) / 2
}

function cell(median) { return sprintf("%.3f (%.3f to %.3f)", median, low, high) }

function ratio(figure, peer) { return peer > 0 ? sprintf("%.2f", figure / peer) : "-" }

$1 == "raw" {
    row = $2; key = $2 SUBSEP $3
    if (!(row in programs)) rows[++row_count] = row
    if (!(key in wall)) programs[row] = programs[row] " " $3
    wall[key] = wall[key] " " $4
    cpu[key] = cpu[key] " " ($5 + $6)
    memory[key] = memory[key] " " $7
    if ($3 != "mq" && $3 != "base") peer[row] = $3
}

END {
    printf "%-16s %-14s %-26s %5s   %-26s %5s   %s\n", "# row", "program", "wall time (s)", "ratio", "CPU time (s)", "ratio", "memory (KiB)"
    for (r = 1; r <= row_count; r++) {
        row = rows[r]
        other = row SUBSEP peer[row]
        peer_wall = row in peer ? sorted(other, wall) : 0
        peer_cpu = row in peer ? sorted(other, cpu) : 0
        count = split(programs[row], names, " ")
        for (p = 1; p <= count; p++) {
            key = row SUBSEP names[p]
            wall_median = sorted(key, wall); wall_cell = cell(wall_median)
            cpu_median = sorted(key, cpu); cpu_cell = cell(cpu_median)
            printf "%-16s %-14s %-26s %5s   %-26s %5s   %s\n", row, names[p], wall_cell, ratio(wall_median, peer_wall), \
                cpu_cell, ratio(cpu_median, peer_cpu), sorted(key, memory)
        }
    }
}
