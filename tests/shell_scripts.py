"""Scripts that real shells and ours must agree on; one after the other, divided by lines of `%%`."""

from __future__ import annotations

from shell_harness import Script

SH = r"""
echo one two   three; echo 'a  b' "c  d" e\ f
%%
x=5; y="a b"; echo $x $y "$y" '$y' "\$y" ${x}y
%%
echo "a'b" 'a"b' "a\"b" 'it'\''s' "\\ \n \$ \`"
%%
echo ${u:-def} ${u-def} ${u:+alt} ${u+alt}; e=; echo "${e:-def}" "${e-def}" "${e:+alt}" "${e+alt}"
%%
echo ${n:=set} $n; (echo ${m:?missing}) ; echo $?
%%
p=/usr/local/lib/libx.so.1; echo ${p#*/} ${p##*/} ${p%.*} ${p%%.*} ${#p} ${p#nomatch}
%%
v='a*b'; echo "${v#a\*}" "${v%'*b'}" "${v#"a*"}"
%%
set -- a 'b c' d; echo $# "$1" "$2"; for i in "$@"; do echo "<$i>"; done; for i in $*; do echo "[$i]"; done
%%
set -- a b c; IFS=-; echo "$*"; echo $*; unset IFS; echo "$*"
%%
set --; for i in "$@"; do echo never; done; echo "n=$#" "x$@y"
%%
IFS=:; p='a:b::c:'; for i in $p; do echo "<$i>"; done
%%
IFS=' :'; p=' a : b:c  d '; for i in $p; do echo "<$i>"; done
%%
IFS=,; read a b c <<X
1,2,3,4
X
echo "$a|$b|$c"
%%
printf '%s\n' 'a\tb  c ' | while read x; do echo "<$x>"; done; printf '%s\n' 'a\tb  c ' | while IFS= read -r x; do echo "<$x>"; done
%%
printf 'no newline' | while read x; do echo in; done; printf 'no newline' | { read x; echo "$? $x"; }
%%
echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((-7/2)) $((7%3)) $((-7%3)) $((2<<4)) $((255>>2))
%%
x=5; echo $((x)) $((x+1)) $(($x*2)) $((x==5)) $((x!=5)) $((x>3&&x<9)) $((!x)) $((~x)) $((x>3?10:20))
%%
x=1; echo $((x+=4)) $x $((x*=2)) $((x-=1)) $((x%=4)) $((x<<=2)) $x; echo $((0x1f)) $((017)) $((5&3)) $((5|3)) $((5^3))
%%
a=3; b=4; echo $((a*a+b*b)) $(( a < b ? a : b )); unset q; echo $((q)) $((q+1))
%%
echo $((9223372036854775806 + 1)) $(( - 3 )) $((- -3)) $((1 - 1 - 1)) $((2 * (3 + 4) % 5))
%%
echo $((1/0)); echo not reached
%%
echo `echo back` $(echo new) "$(echo "in quotes")" `echo \`echo nested\``
%%
x=$(printf 'a\n\n\n'); echo "[$x]"; x=$(exit 3); echo $?; echo $(false) $?
%%
cat <<E
plain $((1+1)) $(echo sub) \$x `echo bq`
E
%%
x=v; cat <<'E'; cat <<-T
$x `no` \n
E
	tab $x
	T
%%
cat <<A; cat <<B
first
A
second
B
%%
for i in 1 2; do cat <<E; done
i=$i "quoted"
E
%%
cat <<E | tr a-z A-Z
pipe me
E
%%
echo out; echo err >&2; { echo a; echo b >&2; } 2>&1 | sort
%%
echo hi > f; echo there >> f; cat f; wc -l < f; cat < f > g; cat g; : > f; wc -c < f
%%
ls nosuch 2>/dev/null || echo "rc $?"; { ls nosuch; } 2>e; test -s e && echo haserr
%%
echo a > f; echo b >| f; cat f; (echo c > d/f) 2>/dev/null; echo $?
%%
exec 3> f; echo three >&3; exec 3>&-; cat f; exec 4< f; read x <&4; echo "$x"; exec 4<&-
%%
{ echo 1; echo 2 >&2; } > f 2>&1; cat f; { echo 1; echo 2 >&2; } 2>&1 > f; cat f
%%
echo x | cat - /dev/null; cat /dev/null | wc -c; echo lost > /dev/null
%%
printf 'b\na\nc\na\n' | sort | uniq -c | sort -rn | head -2
%%
false | true; echo $?; true | false; echo $?; ! true; echo $?; ! false | false; echo $?
%%
true && echo yes; false && echo no; false || echo alt; true || echo no; false && a || b=1; echo "$b"
%%
(x=1; cd /; echo $x; pwd); echo "[$x]"; pwd
%%
{ x=2; }; echo $x; ( exit 7 ); echo $?; (false); echo $?
%%
if true; then echo t; fi; if false; then echo a; elif true; then echo b; else echo c; fi; if false; then :; fi; echo $?
%%
i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done; until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i
%%
for i in 1 2 3 4 5; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done; echo "end $?"
%%
for i in 1 2; do for j in a b c; do [ $j = b ] && continue 2; echo $i$j; done; done; for i in 1 2; do for j in a b; do break 2; done; done; echo $i$j
%%
while true; do while true; do break 2; done; done; echo out; while false; do :; done; echo $?
%%
case abc in a*) echo A;; *) echo other;; esac; case x in y|x) echo XY;; esac; case "" in "") echo empty;; esac
%%
case 'a*b' in 'a*b') echo lit;; esac; case abc in 'a*c') echo no;; a?c) echo q;; esac; case b in [a-c]) echo cls;; esac; case d in [!a-c]) echo neg;; esac
%%
p='a*'; case abc in $p) echo pat;; esac; case abc in "$p") echo no;; *) echo quoted;; esac; case x in esac; echo $?
%%
case a in (a) echo paren ;; esac; case z in a) ;; b) echo b;; esac; echo $?
%%
f() { echo "f $# $1"; return 3; }; f a b; echo $?; f; g() { f "$@"; echo after; }; g x; echo $?
%%
f() { local x=1; x=2; echo $x; }; x=out; f; echo $x; h() { x=changed; }; h; echo $x
%%
fact() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1-1))) )); fi; }; fact 10
%%
f() { set -- x y; echo $#; }; set -- a b c; f; echo $# $1; f() (exit 4); f; echo $?
%%
f() { cat; } <<E
body redirect
E
f
%%
set -e; false; echo never
%%
set -e; false || true; if false; then :; fi; ! true; false && true; echo reached; (false); echo never
%%
set -e; f() { false; echo in; }; f || echo caught; f; echo never
%%
set -e; x=$(false); echo never
%%
set -e; { false; } || echo ok; while false; do :; done; echo still; false | true; echo alive
%%
set -u; echo ${x-ok}; echo $x; echo never
%%
set -u; echo "$@" $#; (echo $1) 2>/dev/null; echo "rc $?"
%%
set -x; x=1; echo $x 'a b' 2>&1; set +x; echo done
%%
set -f; touch a.c b.c; echo *.c; set +f; echo *.c
%%
set -- -a -b val file; while getopts ab: o; do echo "$o=$OPTARG"; done; shift $((OPTIND-1)); echo "$@"
%%
set -- -ab -cfoo -x; while getopts :abc: o; do echo "$o [$OPTARG]"; done; echo $OPTIND
%%
set -- -x -b; while getopts ab: o; do echo "$o [$OPTARG]"; done; echo $o $OPTIND; OPTIND=1; getopts a o -a -- -a; echo $o; getopts a o -a -- -a; echo $? $OPTIND
%%
trap 'echo bye' EXIT; echo hi
%%
trap 'echo bye $?' EXIT; exit 5
%%
trap 'echo outer' EXIT; (trap 'echo inner' EXIT; echo sub); echo main
%%
trap 'echo got' TERM; kill -TERM $$; echo after; trap - TERM; trap
%%
sh -c 'kill -9 $$'; echo $?; sh -c 'kill $$'; echo $?; sh -c 'exit 300'; echo $?
%%
eval 'x=1; echo $x'; y='echo "a b"'; eval $y; eval "exit 3"
%%
x=1; export x; sh -c 'echo $x'; y=2; sh -c 'echo "[$y]"'; z=3 sh -c 'echo $z'; echo "[$z]"
%%
readonly r=1; (r=2) 2>/dev/null; echo $?; echo $r; unset u; echo "[${u}]"
%%
x=1; f() { x=2 true; echo $x; }; f; x=3 :; echo $x; x=4 true; echo $x
%%
command -v echo; command -v nosuch; echo $?; command echo viacommand; type nosuch; echo $?
%%
nosuch; echo $?; ./nosuch; echo $?; touch plain; ./plain; echo $?; /work; echo $?
%%
printf '#!/bin/sh\necho script $1 $0\n' > s; chmod +x s; ./s arg; sh s other; printf 'echo sourced $x; y=9\n' > lib; x=1; . ./lib; echo $y
%%
touch b.txt a.txt .hidden c.log; echo *.txt; echo *; echo .h*; echo [ab].txt; echo ?.log; echo nomatch*; echo "*.txt" '*'
%%
mkdir -p d/e f; touch d/e/x d/y f/z; echo */*; echo d/*/x; echo */; echo [!d]/*
%%
touch 'a b' c; for f in *; do echo "<$f>"; done; x='*'; echo $x; echo "$x"
%%
cd /; pwd; cd - ; cd /nosuch; echo $?; cd; pwd
%%
mkdir -p a/b; cd a/b; pwd; cd ..; pwd; cd ./b/../..; pwd; ln -s a/b l; cd l; pwd; pwd -P; cd ..; pwd
%%
echo ~ ~/x "~" '~' a~b; x=~/y; echo $x; HOME=/tmp; echo ~
%%
echo $0 $#; sh -c 'echo $0 $1 $#' name arg1 arg2; echo $-
%%
echo a\
b; x=1 \
 y=2; echo $x $y # comment
# whole line
echo c#d '#' "#"
%%
echo 'a\nb' "c\td" 'e\\f' '\0101' 'stop\cnot'; echo -n no newline; echo; echo -e x
%%
printf '%s-%s\n' a b c; printf '%d %5d|%-5d|%05d\n' 1 2 3 4; printf '%x %o %X %c\n' 255 8 171 hello; printf '%%|%5s|%-5s|%.2s\n' ab cd efgh
%%
printf '%b\n' 'a\tb\n' ; printf 'x\n%s' ; printf '%s %s\n' only; printf '\101\n'; printf '%i\n' 0x10; printf "%d\n" "'A"
%%
printf '%d\n' abc; echo $?; printf '%s\n' "" "x"; printf '%5d|\n' 42; printf '%.3d|%+d\n' 7 7
%%
printf '%e %f %g %.2f\n' 1.5 2.25 0.0001 3.14159
%%
[ a = a ] && echo 1; [ a != b ] && echo 2; [ -n x ] && echo 3; [ -z "" ] && echo 4; [ 3 -gt 2 ] && echo 5; [ ! a = b ] && echo 6; [ a ] && echo 7; [ "" ] || echo 8
%%
[ 1 -eq 1 -a 2 -eq 2 ] && echo and; [ 1 -eq 2 -o 2 -eq 2 ] && echo or; [ \( a = b \) -o c = c ] && echo paren; test -n; echo $?; test; echo $?
%%
touch f; mkdir d; ln -s f l; ln -s nope dl; for t in -e -f -d -L -h -s -r -w -x; do for x in f d l dl none; do test $t $x && echo "$t $x"; done; done
%%
[ a -eq 1 ]; echo $?; [ 1 -lt ]; echo $?; test a = ; echo $?; [ x = x; echo $?
%%
sleep 0.05 & wait; echo waited; (exit 4) & wait $!; echo $?; x=1 & echo "[$x]"
%%
sleep 5 & kill $!; wait $!; echo $?
%%
yes | head -2; yes abc | head -c 6; echo; seq 1 100000 | head -1
%%
echo a | { read x; echo "got $x"; }; echo a | read x; echo "[$x]"
%%
seq 3 | while read n; do echo $((n*n)); done | { read a; read b; echo "$a $b"; cat; }
%%
x=$(printf 'a\0b' | wc -c); echo $x; printf '\377\376' | wc -c; y=$(printf '\303\251'); echo "$y" ${#y}
%%
umask 027; touch f; mkdir d; stat -c '%a %n' f d; umask
%%
touch f; chmod 640 f; stat -c %a f; chmod u+x,g-r,o=r f; stat -c %a f; chmod a-x f; ls -l f | cut -c1-10; chmod -R 700 .; stat -c %a f
%%
echo 1 > a; cp a b; mv b c; cat c; ln c d; stat -c %h c; rm c; cat d; ln -s d e; readlink e; rm -f nosuch; echo $?; rm nosuch; echo $?
%%
mkdir -p x/y/z; touch x/y/f; cp -r x w; find w | sort; mv w/y v; ls; rm -r x v; ls; rmdir w; ls | wc -l; mkdir x; mkdir x; echo $?
%%
mkdir d; touch d/a d/b; find d -name 'a' -print; find d -type f | wc -l; find d -type f -exec echo {} \; | sort; find . -maxdepth 1 | sort; find d -name b -delete; ls d
%%
printf '3\n1\n2\n' > n; sort n; sort -r n; sort -n n -o n; cat n; printf 'b 2\na 10\nc 1\n' | sort -k2 -n; printf 'a:3\nb:1\n' | sort -t: -k2
%%
printf 'x1y\nab\nx22y\n' | grep 'x[0-9]*y'; echo abc | grep -q b && echo found; printf 'a\nb\n' | grep -v a; printf 'a\nb\na\n' | grep -c a; printf 'A\n' | grep -i a; echo nomatch | grep z; echo $?
%%
printf 'foo bar\nbaz\n' > f; grep -n ba f; grep -o 'ba.' f; grep -l foo f; grep -E 'foo|baz' f; grep -F '.' f; echo $?; grep x nosuch; echo $?; grep -w ba f; echo $?
%%
printf 'a b c\nd e f\n' | cut -d' ' -f2; echo a:b:c | cut -d: -f1,3; echo abcdef | cut -c2-4; echo abc | cut -c-2; echo abc | tr abc xyz; echo hello | tr -d l; echo aabb | tr -s a; echo abc | tr a-c A-C; echo 'a b' | tr ' ' '\n'
%%
seq 5 | head -n 2; seq 5 | tail -n 2; seq 5 | tail -n +4; printf 'one two\nthree\n' | wc; seq 2 2 6; seq 3 -1 1
%%
echo a b c | xargs -n1 echo x; printf 'a\nb\n' | xargs -I{} echo '<{}>'; echo | xargs echo none; seq 3 | xargs
%%
printf 'a\nb\n' | tee f | wc -l; cat f; echo c | tee -a f > /dev/null; cat f
%%
basename /a/b.txt .txt; basename /a/b/; dirname /a/b; dirname a; dirname /; basename '' ; dirname a b; echo $?
%%
env -i A=1 env; A=5 env | grep ^A=; env A=7 sh -c 'echo $A'
%%
echo x > "sp ace"; cat "sp ace"; f='sp ace'; cat "$f"; cat $f; echo $?
%%
a=1; a=2 b=$a; echo $a $b; a=x$a; a=$a$a; echo $a; a= ; echo "[$a]"
%%
x='a  b'; y=$x; echo "$y"; echo $y; z="$(echo "$x")"; echo "$z"; echo "${x#a}" "${x%b}"
%%
unset x; echo "${x:-$(echo sub)}" "${x:-"quoted  word"}" ${x:-two words} "${x:-'single'}"
%%
echo "${x:-${y:-${z:-deep}}}"; x=1; echo "${x:+${x}2}"
%%
echo $(echo "a b" | (read x y; echo $y)) $( (echo sub) ) $(case x in x) echo case;; esac)
%%
if [ -f nosuch ]; then echo y; else echo n; fi; if ! [ -f nosuch ]; then echo neg; fi; if echo cond; then echo body; fi | cat
%%
f() { return; }; false; f; echo $?; true; f; echo $?; f() { false; }; f; echo $?; f() { return 256; }; f; echo $?
%%
exit_code() { return $1; }; for c in 0 1 2 127; do exit_code $c; echo $?; done
%%
i=0; while :; do i=$((i+1)); [ $i -ge 1000 ] && break; done; echo $i
%%
while read a b; do echo "$b $a"; done <<E
1 one
2 two three
E
%%
{ while read l; do [ "$l" = stop ] && break; echo "$l"; done; cat; } <<E
a
stop
rest
E
%%
x=1; (x=2; (x=3; echo $x); echo $x); echo $x
%%
echo "$(cat <<E
inside $(echo sub)
E
)"
%%
set -- "a b" c; echo "$*" "$@"; set -- "$@" d; echo $#; shift 2; echo $1; shift; echo $#
%%
echo ${10:-none}; set -- 1 2 3 4 5 6 7 8 9 ten; echo $10 ${10}
%%
: ${x:=default}; echo $x; : "$((y=5))"; echo $y
%%
exec echo replaced; echo never
%%
(exec sh -c 'exit 9'); echo $?; exec > f; echo hidden; exec >&2; cat f >&2
%%
echo a; exit; echo b
%%
if; then echo x; fi
%%
echo before
for do
%%
echo "unterminated
%%
echo a &&
echo b |
cat
%%
case x in
 a) echo a ;;
 x)
   echo x
   ;;
esac; for i in a \
 b; do echo $i; done
%%
f() {
  echo multi
}
f
if
 true
then
 echo t
fi
%%
! [ a = b ] && echo not; ! false; echo $?; ! { false; true; }; echo $?
%%
echo 1 2 3 | (read a rest; echo "$rest"); printf 'x y\n' | { read -r a; echo "$a"; }
%%
printf 'a b\nc d\n' | while read x y; do echo "$y-$x"; done; echo "[$x]"
%%
sed -n 2p <<E
one
two
E
echo hello | sed 's/l/L/; s/o$/0/'; printf 'a\nb\nc\n' | sed '2d'; echo abc | sed 's/\(a\)\(b\)/\2\1/'; printf 'x\ny\n' | sed -e '1s/x/z/' -e '$!d'
%%
echo a/b | sed 's|/|-|g'; printf '1\n2\n3\n4\n' | sed -n '/2/,/3/p'; echo aXbX | sed 's/X/-/2'; echo foo | sed 's/o*/x/g'; echo hi | sed 's/./&&/g'
%%
printf 'a\nb\nc\n' | sed '2a\
after
2i\
before'; printf 'a\nb\n' | sed '1c changed'; printf 'a\nb\n' | sed -n '$='; echo ab | sed 'y/ab/xy/'; printf '1\n2\n3\n' | sed 'N;s/\n/+/'; printf 'a\nb\nc\n' | sed '2q'; printf 'a\nb\n' | sed -n 'H;${x;s/\n/,/g;p}'
%%
echo one > f; sed -i 's/one/two/' f; cat f; sed -i.bak 's/two/three/' f; cat f f.bak; echo aaa | sed -E 's/(a)(a)/<\1>/'; sed 's/x' f; echo $?; sed -n '/t/{p;p}' f; sed nosuch; echo $?
%%
printf 'b\na\n' > f; sort < f | cat -n; sha256sum f | cut -c1-8; sha256sum f > sums; sha256sum -c sums
%%
cat f1 f2 2>&1; echo $?; head -n x f 2>/dev/null; echo $?; ls -la /nosuch; echo $?; mkdir a/b/c; cp nosuch x; mv nosuch x; echo $?; touch /nosuch/x; echo $?
%%
echo 'a b' > f; read x y < f; echo "$y"; while read -r line; do set -- $line; echo $2; done < f; echo "$(< /dev/null)x"
%%
x=abc; case $x in *b*) echo has;; esac; echo ${x%c}${x#a}; unset x y; y=${x:-$((1+2))}; echo $y; z=${y:+"a b"}; echo "$z"
%%
f() { echo $1; shift; [ $# -gt 0 ] && f "$@"; }; f 1 2 3; echo rc $?; f() { f2() { echo inner; }; }; f; f2
%%
ls > /dev/null; echo * | wc -w; mkdir .h; ls; ls -a; ls -A; ls -d .; ls -1 /nosuch 2>/dev/null; echo $?
"""

BASH = r"""
[[ a == a ]] && echo 1; [[ abc == a* ]] && echo 2; [[ abc == "a*" ]] || echo 3; [[ -n x && ! -z y ]] && echo 4; [[ a < b ]] && echo 5
%%
x='a b'; [[ $x == 'a b' ]] && echo nosplit; [[ -f nosuch || -d . ]] && echo dir; [[ ( a == b ) || c == c ]] && echo paren; [[ 3 -lt 10 ]] && echo num
%%
[[ abc123 =~ ^[a-z]+[0-9]+$ ]] && echo re; [[ x =~ y ]]; echo $?; [[ $u ]]; echo $?; [[ x ]]; echo $?
%%
echo $'a\tb\nc' $'\x41\101' $'it\'s'
%%
echo {a,b,c} x{1..3}y {3..1} {a..e} pre{x,y{1,2}}post {single} {} a{,b}
%%
echo -e 'a\tb\n'; echo 'a\tb'; echo -n x; echo -E 'a\n'; echo -ne 'q\n'
%%
x=hello.txt; echo ${x%.txt} ${x#he} ${x%%l*} ${x##*l} ${#x}
%%
x=hello; n=1; echo ${x:1} ${x:1:3} ${x: -2} ${x:n+1:2} "${x:1:-1}" ${x/l/L} ${x//l/L} ${x/#h/H} ${x/%o/O} "${x/l/ - }" ${x//[lo]} ${x/l*} ${x:9} ${x/z-a/y}
%%
touch f; [ f -nt nosuch ]; echo $?; [[ nosuch -ot f ]]; echo $?; [ nosuch -nt f ]; echo $?; [[ f -ef f ]]; echo $?
%%
x='a b/c'; echo ${x// /_} ${x//\//|} "${x/"b"/$HOME}" ${x/%/!} ${x/#/>} ${x/?/*}; y=; echo [${y:0:2}] [${y/a/b}] ${nosuch:1:2}
%%
(( 3 > 2 )) && echo gt; (( 0 )); echo $?; ((i=5)); ((i++)); echo $i
%%
for i in {1..2}; do echo $i; done
%%
cat <<< "here $((1+1))"; read a b <<< "1 2"; echo $b; echo both &> f; cat f; { echo o; echo e >&2; } 2>&1 | sort
%%
f() { echo "f $1"; }; f x; g() { local a=1 b; echo "$a[$b]"; }; g; type nosuch; echo $?
%%
set -o pipefail; false | true; echo $?; set +o pipefail; false | true; echo $?
%%
printf '%03d\n' 7; x+=abc; x+=d; echo $x; unset q; q+=1; echo $q
%%
read -r -p prompt x <<E
typed
E
echo $x; read -r y <<< 'a\b'; echo $y; read <<< reply; echo $REPLY
%%
echo "v=${v:-unset}" ${1:-none}; set -- a b; echo "${@}" "$#" "${*}"
%%
source /dev/null; echo $?; . ./nosuch; echo $?; nosuch; echo $?; cd /nosuch; echo $?
%%
export x=5; bash -c 'echo $x'; unset x; bash -c 'echo [$x]'; true
%%
trap 'echo bye' EXIT; x=$(echo hi; exit 2); echo $? $x; exit 3
%%
[[ -n $HOME ]] && echo set; [[ a != b ]]; echo $?; [ a == a ] && echo eq
%%
i=5; while ((i > 3)); do echo $((i--)); done; echo $((i++ + ++i))
%%
set -u; echo ${x-ok}; echo $x; echo never
%%
x=$'multi\nline'; echo "$x" | wc -l; printf '<%s>\n' 'a b' plain; printf '%s\n' {a,b}.txt
%%
if true; then echo x; fi; case abc in a*) echo glob;; esac; echo ~; cd /tmp && pwd && cd - > /dev/null; echo $OLDPWD
"""


def _scripts(corpus: str, shell: str) -> list[Script]:
    return [Script(text.strip("\n") + "\n", shell) for text in corpus.strip("\n").split("\n%%\n")]


SCRIPTS = [*_scripts(SH, "sh"), *_scripts(BASH, "bash")]
