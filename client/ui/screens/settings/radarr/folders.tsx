import { ArrowRight, CircleCheck, TriangleAlert, X } from 'lucide-preact';
import { useState } from 'preact/hooks';
import type { Mapping, RadarrLink, RootFolder, Status } from '#client/store/radarr.ts';
import { classes } from '../../../classes.ts';
import { failureText } from '../../../failure-text.ts';
import { folderText } from '../../../folder-text.ts';
import { useAttempt } from '../../../house.ts';
import { Button, IconButton } from '../../../parts/button.tsx';
import { Field } from '../../../parts/field.tsx';
import { SmallForm, useSending } from '../../../parts/small-form.tsx';
import { Waiting } from '../../../parts/state-page.tsx';
import { counted } from '../../../wording.ts';
import styles from '../settings.module.css';
import own from './radarr.module.css';

interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
  readonly mend: string | null;
  readonly command: string | null;
}

const verdict = (
  isGood: boolean,
  text: string,
  mend: string | null = null,
  command: string | null = null,
): Verdict => ({
  isGood,
  text,
  mend,
  command,
});

/** What is to be said of one of Radarr's folders. */
function verdictOf({ isAccessible, ours, check, libraries, proposal }: RootFolder): Verdict {
  if (ours === null) {
    return verdict(
      false,
      'Nobody said where this folder is here.',
      proposal === null ? 'Add a mapping below: where does this folder lie on the server?' : null,
    );
  }
  const problem = check === null ? null : folderText(check);
  if (problem !== null) {
    return verdict(
      false,
      problem.what,
      proposal === null ? `${problem.mend} If it lies elsewhere here, add a mapping below.` : null,
      proposal === null ? problem.command : null,
    );
  }
  if (libraries.length === 0) {
    return verdict(
      false,
      'It can be read, but lies in no library.',
      proposal === null ? 'Add it as a library, under Libraries.' : null,
    );
  }
  const where = `It can be read here, in ${libraries.join(', ')}.`;
  return isAccessible ? verdict(true, where) : verdict(false, `${where} Radarr itself can’t use it just now.`);
}

function FolderRow({ link, folder }: { readonly link: RadarrLink; readonly folder: RootFolder }) {
  const attempt = useAttempt();
  const [isBusy, setBusy] = useState(false);
  const { isGood, text, mend, command } = verdictOf(folder);
  const { proposal } = folder;
  return (
    <li class={styles.row}>
      <div class={styles.health} data-severity={isGood ? 'good' : 'warning'}>
        {isGood ? <CircleCheck aria-label="Good" /> : <TriangleAlert aria-label="Needs your hand" />}
        <div>
          <span class={styles.name} dir="auto">
            <code>{folder.path}</code>
          </span>
          {folder.ours !== null && folder.ours !== folder.path && (
            <p class={styles.facts} dir="auto">
              here: <code>{folder.ours}</code>
            </p>
          )}
          <p>{text}</p>
          {mend !== null && <p class={styles.facts}>{mend}</p>}
          {command !== null && (
            <p>
              <code>{command}</code>
            </p>
          )}
        </div>
      </div>
      {proposal !== null && (
        <div class={styles.rowTop}>
          <p>
            The folders of its movies are in <code dir="auto">{proposal.to}</code>.
          </p>
          <Button
            look="bright"
            isBusy={isBusy}
            onClick={() => {
              setBusy(true);
              void attempt(() => link.useMapping(proposal), `${proposal.from} is ${proposal.to} from now on.`).finally(
                () => setBusy(false),
              );
            }}
          >
            Use that
          </Button>
        </div>
      )}
    </li>
  );
}

function MappingForm({ link }: { readonly link: RadarrLink }) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const { isBusy, problem, send } = useSending();
  const add = (): Promise<void> =>
    send(async () => {
      await link.useMapping({ from: from.trim(), to: to.trim() });
      setFrom('');
      setTo('');
    });

  return (
    <SmallForm isBusy={isBusy} onSend={add}>
      <Field
        label="Folder in Radarr"
        value={from}
        onValue={setFrom}
        placeholder="/movies"
        maxLength={4096}
        isCode
        problem={problem}
      />
      <Field label="The same folder here" value={to} onValue={setTo} placeholder="/mnt/films" maxLength={4096} isCode />
      <Button type="submit" isBusy={isBusy} disabled={from.trim() === '' || to.trim() === ''}>
        Add the mapping
      </Button>
    </SmallForm>
  );
}

function MappingRow({ link, mapping }: { readonly link: RadarrLink; readonly mapping: Mapping }) {
  const attempt = useAttempt();
  return (
    <li class={styles.row}>
      <div class={styles.rowTop}>
        <span class={classes(styles.name, own.mapping)} dir="auto">
          <code>{mapping.from}</code> <ArrowRight aria-label="is here" /> <code>{mapping.to}</code>
        </span>
        <IconButton
          label={`Remove the mapping of ${mapping.from}`}
          onClick={() => void attempt(() => link.removeMapping(mapping), 'The mapping is removed.')}
        >
          <X aria-hidden="true" />
        </IconButton>
      </div>
    </li>
  );
}

/** Radarr's folders, how they are seen from here, and what to map. */
export function Folders({ link, status }: { readonly link: RadarrLink; readonly status: Status }) {
  const [isAdding, setAdding] = useState(false);
  const check = link.check.value;
  const failure = link.checkFailure.value;
  return (
    <section class={styles.block} aria-labelledby="radarr-folders-title">
      <div class={styles.head}>
        <h2 id="radarr-folders-title">Folders</h2>
        <Button look="quiet" aria-expanded={isAdding} onClick={() => setAdding(!isAdding)}>
          {isAdding ? 'No mapping' : 'Add a mapping'}
        </Button>
      </div>
      {failure !== null ? (
        // What is the matter with Radarr stands above already.
        failure.code !== 'radarrTrouble' ? (
          <p class={styles.bad}>{failureText(failure)}</p>
        ) : (
          <p class={styles.note}>They are listed here as soon as Radarr answers.</p>
        )
      ) : check === null ? (
        link.isChecking.value && <Waiting />
      ) : check.rootFolders.length === 0 ? (
        <p class={styles.note}>Radarr has no folders yet. Add one there: Settings, Media Management, Root Folders.</p>
      ) : (
        <ul class={styles.rows}>
          {check.rootFolders.map((folder) => (
            <FolderRow key={folder.path} link={link} folder={folder} />
          ))}
        </ul>
      )}
      {isAdding && <MappingForm link={link} />}
      {status.mappings.length > 0 && (
        <>
          <h3 class={own.apart}>Mappings</h3>
          <ul class={styles.rows} aria-label="Mappings">
            {status.mappings.map((mapping) => (
              <MappingRow key={mapping.from} link={link} mapping={mapping} />
            ))}
          </ul>
        </>
      )}
      {check !== null && (
        <p class={classes(styles.facts, own.apart)}>
          {check.profiles.length === 0
            ? 'No quality profiles'
            : `Quality profiles: ${check.profiles.map(({ name, isUpgradeAllowed }) => (isUpgradeAllowed ? `${name} (upgrades)` : name)).join(', ')}`}
          {` · ${counted(check.collectionCount, 'collection')}`}
        </p>
      )}
    </section>
  );
}
