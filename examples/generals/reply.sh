#!/bin/sh
# The second strategy of the problem, in plain sh: general 1 sends word and attacks only if an answer reaches him;
# general 2 answers and attacks once word has reached him.
#
#   handfast generals odds exec:"sh examples/generals/reply.sh" --messengers 5 --replies 3 --capture 1/10
#
# This is the mode replay: the general keeps what he knows in variables, and the lab tells him a run from the start,
# with a new init, for every branch that it wants to see. docs/general-programs.md says what stands in each line.

# field NAME: the number or word behind "NAME": in the line.
field() {
    rest=${line#*\""$1"\":}
    rest=${rest%%[,\}]*}
}

# wave COUNT WORD: a list with so many messengers.
wave() {
    list=
    left=$1
    while [ "$left" -gt 0 ]; do
        list="$list${list:+,}\"$2\""
        left=$((left - 1))
    done
}

while IFS= read -r line; do
    field msg_id && id=$rest
    case $line in
    *'"type":"init"'*)
        field general && general=$rest
        field order && order=$rest
        field messengers && messengers=$rest
        field replies && replies=$rest
        heard=false
        body='"type":"init_ok","mode":"replay","rounds":2'
        ;;
    *'"type":"round"'*)
        field round && round=$rest
        case $line in *'"inbox":[]'*) ;; *) heard=true ;; esac
        list=
        case $general,$round,$order,$heard in
        1,1,true,*) wave "$messengers" attack ;;
        2,2,*,true) wave "$replies" 'we come' ;;
        esac
        body="\"type\":\"round_ok\",\"outbox\":[$list]"
        # Round 3 is the hour of the attack: the inbox of the second round was the last one.
        if [ "$round" = 3 ]; then body="$body,\"attack\":$heard"; fi
        ;;
    *) body='"type":"error","code":10,"text":"this general knows init and round"' ;;
    esac
    printf '{"src":"general-%s","dest":"lab","body":{%s,"in_reply_to":%s}}\n' "$general" "$body" "$id"
done
