// A question before something that cannot simply be undone.
import {
  Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, DialogTrigger,
} from "@fluentui/react-components";
import { useState, type ReactElement, type ReactNode } from "react";

interface Props {
  readonly trigger: ReactElement;
  readonly title: string;
  readonly children: ReactNode;
  /** The button that does it; it calls `close` when it was accepted. */
  readonly action: (close: () => void) => ReactNode;
}

export function Confirmation({ trigger, title, children, action }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog open={isOpen} onOpenChange={(_, change) => setOpen(change.open)}>
      <DialogTrigger disableButtonEnhancement>{trigger as never}</DialogTrigger>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent className="stack">{children}</DialogContent>
          <DialogActions fluid className="dialog-actions">
            <DialogTrigger disableButtonEnhancement>
              <Button>Cancel</Button>
            </DialogTrigger>
            {action(() => setOpen(false))}
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
