// A click on a picture shows it as large as the window allows; another click, or Escape, closes it.
for (const picture of document.querySelectorAll(".md-content img")) {
  picture.addEventListener("click", () => {
    const dialog = document.createElement("dialog")
    dialog.className = "enlarged"
    dialog.append(picture.cloneNode())
    dialog.addEventListener("click", () => dialog.close())
    dialog.addEventListener("close", () => dialog.remove())
    document.body.append(dialog)
    dialog.showModal()
  })
}
