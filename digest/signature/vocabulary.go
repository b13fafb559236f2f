package signature

import (
	"strings"
	"unicode/utf8"

	"lull/store"
)

// verdict is what a word says about the state of an object.
type verdict struct {
	state    store.State
	kind     string
	severity store.Severity
}

// Kinds of notices.
const (
	kindSuccess         = "success"
	kindAcknowledgement = "acknowledgement"
	kindFlapping        = "flapping"
	kindDowntime        = "downtime"
	kindCustom          = "custom"
	kindStarted         = "started"
	kindReport          = "report"
)

var (
	isCritical = verdict{store.Problem, "", store.Critical}
	isWarning  = verdict{store.Problem, "", store.Warning}
	isUnknown  = verdict{store.Problem, "", store.Unknown}
	isProblem  = verdict{store.Problem, "", ""}
	isRecovery = verdict{store.Recovery, "", ""}
	isSuccess  = verdict{store.Notice, kindSuccess, ""}
	isInfo     = verdict{store.Notice, "", store.Info}
	isStarted  = verdict{store.Notice, kindStarted, ""}
	isAck      = verdict{store.Notice, kindAcknowledgement, ""}
	isFlapping = verdict{store.Notice, kindFlapping, ""}
	isDowntime = verdict{store.Notice, kindDowntime, ""}
	isCustom   = verdict{store.Notice, kindCustom, ""}
	isReport   = verdict{store.Notice, kindReport, ""}
)

// use says how a word of the vocabulary is used in text.
type use uint8

const (
	// loose words mostly mean something else: they count only where a state
	// stands ("is up", "[UP]").
	loose use = 1 << iota
	// paired words have a counterpart that a later mail about the same thing
	// has in their place, so they are no part of what it is about.
	paired
	// final words tell a state at the end of a subject even in lower case:
	// "build 12 fixed", but not "follow up".
	final
)

// meaning is a word of the vocabulary.
type meaning struct {
	verdict
	use
}

// vocabulary is the closed list of words that tell a state, in lower case.
var vocabulary = meanings(append(english, foreign...))

// entry lists words that mean the same and are used alike.
type entry struct {
	verdict verdict
	use     use
	words   string
}

var english = []entry{
	{isCritical, paired | final, "critical crit disaster"},
	{isCritical, paired | final | loose, "down"},
	{isCritical, paired | final, "unreachable inaccessible"},
	{isCritical, paired | final | loose, "offline"},
	{isCritical, paired, "fatal"},
	{isCritical, loose, "emergency dead"},
	{isCritical, 0, "emerg panic outage"},
	{isWarning, paired, "unstable degraded"},
	{isWarning, paired | final | loose, "warning warn"},
	{isCritical, paired | loose, "major"},
	{isWarning, paired | loose, "minor"},
	{isWarning, loose, "average warnings"},
	{isUnknown, paired | loose, "unknown"},
	{isUnknown, paired, "unkn unkwn"},

	{isProblem, paired | loose, "problem alert alarm error fail"},
	{isProblem, paired | final, "firing fired alerting triggered failed failing failure"},
	{isProblem, paired, "errored broken incomplete unhealthy"},
	{isProblem, paired | final, "lost disconnected unavailable unresponsive"},
	{isProblem, paired | loose, "opened active violated breached investigating identified trouble"},
	{isProblem, 0, "failures fails errors err aborted killed crashed crash timeout refused exceeded faulted regression regressions denied expired " +
		"unable cannot stuck exceeds overload overloaded corrupt corrupted terminated ddos expire expires expiring violation " +
		"exception exceptions insufficient unsuccessful intrusion infected malware hung hangs banned unexpected"},
	{isProblem, loose, "abort fault missing high low attack false alerts alarms detected blocked slow invalid unauthorized forbidden spike issue issues threshold"},
	{isProblem, loose | final, "full stopped"},

	{isRecovery, paired | loose, "up clear normal stable healthy recover resolve closed running responding reachable available alive optimal"},
	{isRecovery, paired | loose | final, "ok okay online fixed established"},
	{isRecovery, paired | final, "recovery recovered resolved cleared restored"},

	{isSuccess, paired | final, "succeeded successful completed passed"},
	{isSuccess, paired | final | loose, "success"},
	{isSuccess, paired | loose, "complete pass"},
	{isSuccess, 0, "successfully finished succeed"},
	{isSuccess, loose, "true"},

	{isAck, paired | final, "acknowledgement acknowledgment acknowledged ack"},
	{isFlapping, paired, "flapping flappingstart flappingstop flappingend"},
	{isFlapping, 0, "flappingdisabled"},
	{isFlapping, loose, "flap"},
	{isDowntime, paired, "downtime downtimestart downtimeend"},
	{isDowntime, 0, "downtimestop downtimecancelled downtimeremoved"},
	{isCustom, loose, "custom"},
	{isInfo, loose, "info information informational notice"},
	{isInfo, loose | paired, "monitoring"},
	{isStarted, loose, "started starting"},
	{isReport, loose, "report"},
}

// foreign are the words of other languages that programs are set up in.
var foreign = []entry{
	// German, Dutch, Danish, Norwegian, Swedish
	{isCritical, paired | final, "kritisch kritische kritischer kritisk kritiek ausgefallen unerreichbar onbereikbaar"},
	{isWarning, paired, "warnung waarschuwing varning advarsel"},
	{isProblem, paired | final, "fehler fehlgeschlagen gestört störung ausfall gescheitert mislukt fout storing misslyckades fejl feil mislykkedes mislyktes"},
	{isRecovery, paired | final, "behoben wiederhergestellt erreichbar hersteld opgelost bereikbaar återställd åtgärdad löst gjenopprettet løst genoprettet"},
	{isSuccess, paired | final, "erfolgreich geslaagd lyckades vellykket"},
	{isAck, paired | final, "bestätigt bevestigd"},
	// French, Spanish, Italian, Portuguese
	{isCritical, paired | final, "critique critiques crítico crítica critico critica indisponible"},
	{isWarning, paired, "avertissement advertencia avviso aviso"},
	{isProblem, paired | final, "échec échoué échouée erreur panne alerte arrêté arrêtée problème fallo falló fallido fallida alerta problema caído caída errore fallito fallita guasto erro falha falhou avaria"},
	{isRecovery, paired | final, "rétabli rétablie rétablissement résolu résolue recuperado recuperada resuelto resuelta restablecido ripristinato ripristinata risolto risolta resolvido resolvida restaurado"},
	{isSuccess, paired | final, "réussi réussie succès éxito exitoso exitosa riuscito riuscita successo sucesso completado completada"},
	// Polish, Czech, Russian, Ukrainian
	{isCritical, paired | final, "krytyczny kritický критический критическая критично авария недоступен недоступна недоступно"},
	{isWarning, paired, "ostrzeżenie varování предупреждение"},
	{isProblem, paired | final, "błąd awaria chyba selhalo проблема ошибка сбой помилка"},
	{isRecovery, paired | final, "rozwiązany rozwiązano przywrócono naprawiono obnoveno vyřešeno решена решено восстановлен восстановлена восстановлено доступен доступна відновлено"},
	{isSuccess, paired | final, "sukces успешно úspěch"},
}

// phrases tell a state in several words; the longest that fits counts.
var phrases = []entry{
	{isWarning, paired, "needs attention"},
	{isUnknown, paired, "no data"},
	{isProblem, paired, "new alert"},
	{isProblem, paired, "new problem"},
	{isProblem, paired, "new incident"},
	{isProblem, paired, "alert for"},
	{isAck, paired, "updated problem"},
	{isAck, paired, "got acknowledged"},
	{isRecovery, paired, "has returned"},
	{isRecovery, paired, "recovered from"},
	{isRecovery, paired, "back to normal"},
	{isRecovery, paired, "on line power"},
	{isProblem, paired, "on battery"},
	{isRecovery, paired, "from red to green"},
	{isRecovery, paired, "from yellow to green"},
	{isCritical, paired, "from green to red"},
	{isCritical, paired, "from yellow to red"},
	{isWarning, paired, "from green to yellow"},
	{isWarning, paired, "from red to yellow"},
	{isProblem, 0, "running high"},
	{isProblem, 0, "running low"},
	{isProblem, 0, "running out"},
	{isProblem, 0, "timed out"},
	{isProblem, 0, "out of"},
	{isProblem, 0, "no space"},
	{isProblem, 0, "too many"},
	{isProblem, 0, "went away"},
	{isProblem, 0, "does not exist"},
	{isProblem, loose, "needs to be"},
	{isProblem, loose, "greater than"},
	{isProblem, loose, "less than"},
}

// tails begin what a problem and its recovery tell in other words about the
// same thing: it is no part of what they are about.
var tails = []entry{
	{isProblem, paired, "went above"},
	{isProblem, paired, "went below"},
	{isProblem, paired, "has gone above"},
	{isProblem, paired, "has gone below"},
	{isProblem, paired, "is above"},
	{isProblem, paired, "is below"},
	{isRecovery, paired, "restored to normal"},
	{isRecovery, paired, "returned to normal"},
	{isRecovery, paired, "has returned to normal"},
	{isRecovery, paired, "is back to normal"},
	{isRecovery, paired, "is back within"},
}

func meanings(entries []entry) map[string]meaning {
	all := make(map[string]meaning, 512)
	for _, e := range entries {
		for word := range strings.FieldsSeq(e.words) {
			all[word] = meaning{e.verdict, e.use}
		}
	}
	return all
}

// foldWord is a word in lower case, "" for one longer than any that is looked
// up: a field of one endless word costs nothing.
func foldWord(word string) string {
	if len(word) > 32 {
		return ""
	}
	return strings.ToLower(word)
}

// lookUp finds a word in the vocabulary, whatever its case. CRITICALs and the
// class of an error are known as well.
func lookUp(word string) (meaning, bool) {
	if len(word) < 2 || len(word) > 48 {
		return meaning{}, false
	}
	var folded [48]byte
	for i := 0; i < len(word); i++ {
		if word[i] >= utf8.RuneSelf {
			m, known := vocabulary[strings.ToLower(word)]
			return m, known
		}
		folded[i] = lower(word[i])
	}
	m, known := vocabulary[string(folded[:len(word)])]
	if !known && word[len(word)-1] == 's' && isUpper(word[len(word)-2]) {
		m, known = vocabulary[string(folded[:len(word)-1])]
	}
	if !known && isUpper(word[0]) && (strings.HasSuffix(word, "Error") || strings.HasSuffix(word, "Exception")) {
		return meaning{verdict: isProblem}, true
	}
	return m, known
}

// verdictOf looks a word up, whatever its case.
func verdictOf(text string) (verdict, bool) {
	m, known := lookUp(strings.Trim(text, " .:!*[]()'\""))
	return m.verdict, known
}

// rank orders states and severities, the worst first.
func rank(r store.Report) int {
	at := 0
	switch r.State {
	case store.Problem:
		at = 0
	case store.Notice:
		at = 10
	case store.Recovery:
		at = 20
	}
	switch r.Severity {
	case store.Critical:
		return at
	case store.Warning:
		return at + 2
	case store.Unknown:
		return at + 3
	case store.Info:
		return at + 4
	}
	return at + 1
}
