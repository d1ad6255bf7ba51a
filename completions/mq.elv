# Completions of mq for elvish. `mq complete` knows the commands, options and values; this passes it the words up to the cursor.

use str

set edit:completion:arg-completer[mq] = {|@words|
  var lines = [(each {|word| print $word"\x00" } $words | e:mq complete 2>/dev/null | from-lines)]
  if (> (count $lines) 0) {
    var kind paths prefix = (str:split "\t" $lines[0])
    var suffix = ' '
    if (eq $kind partial) { set suffix = '' }
    for line $lines[1..] {
      var value about = (str:split &max=2 "\t" $line)
      var display = $value
      if (not-eq $about '') { set display = $value' ('$about')' }
      edit:complex-candidate $value &display=$display &code-suffix=$suffix
    }
    if (not-eq $paths none) {
      var last = (str:trim-prefix $words[-1] $prefix)
      edit:complete-filename $last | each {|found| edit:complex-candidate $prefix$found[stem] &code-suffix=$found[code-suffix] }
    }
  }
}
