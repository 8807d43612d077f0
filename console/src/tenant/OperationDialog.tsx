// One operation in full: who asked, its steps and how long each took, and what came of it.
import {
  Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle,
} from "@fluentui/react-components";
import { isFinal, useTenant } from "../live/TenantView";
import { useLive } from "../live/useLive";
import { ProblemBar } from "../parts/ProblemBar";
import { RemovalReport } from "../parts/RemovalReport";
import { Placeholder } from "../parts/Section";
import { StepList } from "../parts/Steps";
import { When } from "../parts/When";
import { OPERATION, called, nameOf, sentence } from "../words";

export function OperationDialog({ operationId, onClose }: { operationId: string | undefined; onClose: () => void }) {
  const { api, tenantId } = useTenant();
  const { value: operation, problem } = useLive(
    operationId,
    (signal) => api.operation(tenantId, operationId ?? "", signal),
    (read) => (isFinal(read) ? undefined : 2),
  );
  return (
    <Dialog open={operationId !== undefined} onOpenChange={(_, change) => !change.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{operation ? called(OPERATION, operation.kind) : "Operation"}</DialogTitle>
          <DialogContent className="stack">
            {problem && <ProblemBar problem={problem} />}
            {!operation && !problem && <Placeholder lines={6} />}
            {operation && (
              <>
                <dl className="facts">
                  <dt>Status</dt>
                  <dd>{sentence(operation.status)}</dd>
                  <dt>Asked by</dt>
                  <dd>{nameOf(operation.requestedBy)}</dd>
                  <dt>At</dt>
                  <dd>
                    <When at={operation.createdAt} />
                  </dd>
                  <dt>Correlation id</dt>
                  <dd>
                    <code>{operation.correlationId}</code>
                  </dd>
                </dl>
                <StepList steps={operation.steps} />
                {operation.error && <ProblemBar problem={operation.error} />}
                {operation.result && <RemovalReport result={operation.result} />}
              </>
            )}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>Close</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
