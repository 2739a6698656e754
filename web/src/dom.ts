// SPDX-License-Identifier: Apache-2.0
//
// The page's elements, and tables that change in place: only what differs is touched, so that focus, selection and scroll
// positions stay. Text is always text; nothing the node says is ever read as HTML.

export function byId<T extends Element = HTMLElement> (id: string): T {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found as unknown as T
}

export function setText (where: Element | string, value: string): void {
  const element = typeof where === 'string' ? byId(where) : where
  if (element.textContent !== value) element.textContent = value
}

export function setAttribute (element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}

export function make<K extends keyof HTMLElementTagNameMap> (name: K, attributes: Record<string, string> = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

export function show (element: HTMLElement | string, visible: boolean): void {
  const target = typeof element === 'string' ? byId(element) : element
  if (target.hidden === visible) target.hidden = !visible
}

export interface Cell {
  text: string
  className?: string
  title?: string
  bar?: number // of 1
  mark?: string // a colour's name
}

// The first cell of a row heads it.
export function fillTable (table: HTMLTableElement, rows: Cell[][]): void {
  const body = table.tBodies[0]!
  while (body.rows.length > rows.length) body.deleteRow(-1)
  rows.forEach((cells, at) => {
    const row = body.rows[at] ?? body.insertRow()
    cells.forEach((cell, column) => {
      let element = row.cells[column]
      if (!element) {
        element = column === 0 ? make('th', { scope: 'row' }) : make('td')
        row.append(element)
      }
      fillCell(element, cell)
    })
  })
}

function fillCell (element: HTMLElement, cell: Cell): void {
  if (element.className !== (cell.className ?? '')) element.className = cell.className ?? ''
  if (element.title !== (cell.title ?? '')) element.title = cell.title ?? ''
  if (cell.bar === undefined && cell.mark === undefined) return setText(element, cell.text)
  if (!element.firstElementChild) {
    if (cell.mark !== undefined) element.append(make('span', { class: 'mark', 'aria-hidden': 'true' }))
    if (cell.bar !== undefined) element.append(make('span', { class: 'bar', 'aria-hidden': 'true' }, make('i')))
    element.append(make('span'))
  }
  const first = element.firstElementChild as HTMLElement
  if (cell.mark !== undefined) first.dataset.kind = cell.mark
  if (cell.bar !== undefined) (element.querySelector('.bar i') as HTMLElement).style.width = `${Math.max(0, Math.min(1, cell.bar)) * 100}%`
  setText(element.lastElementChild!, cell.text)
}
